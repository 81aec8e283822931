"""The operations, under NumPy's names; one file per concept.

Every operation records itself on the active tapes, and every derivative rule is written in recorded
operations, so that derivatives of derivatives are right. TensorFlow's names (`tapegrad.math` and its
siblings) are thin layers over these.
"""
