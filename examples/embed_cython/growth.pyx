# cython: language_level=3, cdivision=True
"""Logistic growth, simulated step by step, and how the end depends on the parameters: a loop over numbers on a tape."""
cimport tapegrad
from tapegrad cimport tapegrad_number, tapegrad_op, tapegrad_status, tapegrad_tape

tapegrad.import_tapegrad()

cdef tapegrad.tapegrad_context *context = tapegrad.tapegrad_context_new()
cdef const tapegrad_op *add = tapegrad.tapegrad_find(context, "add")
cdef const tapegrad_op *subtract = tapegrad.tapegrad_find(context, "subtract")
cdef const tapegrad_op *multiply = tapegrad.tapegrad_find(context, "multiply")
cdef const tapegrad_op *divide = tapegrad.tapegrad_find(context, "divide")


cdef tapegrad_number slope(tapegrad_tape *tape, tapegrad_number n, tapegrad_number rate,
                           tapegrad_number capacity) noexcept nogil:
    """dn/dt = rate n (1 - n / capacity)."""
    cdef tapegrad_number share = tapegrad.tapegrad_number_binary(tape, divide, n, capacity)
    share = tapegrad.tapegrad_number_binary(tape, subtract, tapegrad.tapegrad_constant_number(1.0), share)
    return tapegrad.tapegrad_number_binary(tape, multiply, tapegrad.tapegrad_number_binary(tape, multiply, rate, n),
                                           share)


cdef tapegrad_number moved(tapegrad_tape *tape, tapegrad_number n, tapegrad_number k, double step) noexcept nogil:
    """n + step k."""
    return tapegrad.tapegrad_number_binary(
        tape, add, n, tapegrad.tapegrad_number_binary(tape, multiply, k, tapegrad.tapegrad_constant_number(step)))


cdef class Growth:
    """A population that grows at some rate up to a capacity. One thread at a time may use an object: it has a tape."""

    cdef tapegrad_tape *tape

    def __cinit__(self):
        self.tape = tapegrad.tapegrad_tape_new(context, tapegrad.TAPEGRAD_PERSISTENT)  # its memory is used again
        if self.tape == NULL:
            tapegrad.tapegrad_raise()

    def __dealloc__(self):
        tapegrad.tapegrad_tape_free(self.tape)

    def final_size(self, double rate, double capacity, double start, double time, int steps):
        """The size after some time, by the midpoint rule, and its derivatives by rate, capacity and start."""
        cdef tapegrad_number parameters[3]
        cdef tapegrad_number n, half
        cdef double gradient[3]
        cdef double step = time / steps
        cdef tapegrad_status status
        cdef int _step
        tapegrad.tapegrad_share(context)  # since the lock is given up
        with nogil:
            parameters[0] = tapegrad.tapegrad_watch_number(self.tape, rate)
            parameters[1] = tapegrad.tapegrad_watch_number(self.tape, capacity)
            parameters[2] = n = tapegrad.tapegrad_watch_number(self.tape, start)
            for _step in range(steps):
                half = moved(self.tape, n, slope(self.tape, n, parameters[0], parameters[1]), step / 2)
                n = moved(self.tape, n, slope(self.tape, half, parameters[0], parameters[1]), step)
            status = tapegrad.tapegrad_number_gradient(self.tape, n, 3, parameters, gradient)
            tapegrad.tapegrad_tape_reset(self.tape)
        tapegrad.tapegrad_unshare(context)
        if status != tapegrad.TAPEGRAD_OK:
            tapegrad.tapegrad_raise()
        return n.value, [gradient[0], gradient[1], gradient[2]]


def cubes(x):
    """x * x * x of anything that tapegrad takes, recorded by the caller's tapes."""
    cdef tapegrad.tapegrad_value *value = tapegrad.tapegrad_from_python(x, -1)
    cdef tapegrad.tapegrad_value *square = tapegrad.tapegrad_binary(multiply, value, value)
    cdef tapegrad.tapegrad_value *cube = tapegrad.tapegrad_binary(multiply, square, value)
    try:
        return tapegrad.tapegrad_to_python(cube)  # raises for NULL
    finally:
        tapegrad.tapegrad_release(value)
        tapegrad.tapegrad_release(square)
        tapegrad.tapegrad_release(cube)
