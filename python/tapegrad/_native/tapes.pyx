"""The gradient tape as programs see it."""
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from tapecore.array cimport tg_array, tg_array_base
from tapecore.core cimport TG_MAX_DIMS, tg_dtype_is_inexact, tg_dtype_is_native, tg_index, tg_itemsize
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.ops cimport TG_MAX_OPERANDS
from tapecore.reading cimport TG_READING_WITHIN, tg_reading, tg_reading_end, tg_reading_forget
from tapecore.registry cimport tg_registry_add, tg_registry_new_id, tg_registry_remove
from tapecore.tape cimport (
    TG_NODE_ELEMENTWISE, TG_NODE_EXTERNAL, TG_NODE_LEAF, TG_NODE_STRUCTURAL, tg_node, tg_node_outputs, tg_node_params,
    tg_node_params_count, tg_node_payload, tg_node_saved_value, tg_tape_bytes, tg_tape_clear,
    tg_tape_init, tg_tape_node, tg_tape_output
)
from tapecore.thread cimport tg_thread, tg_thread_current, tg_thread_push, tg_thread_remove
from tapecore.value cimport TG_NO_SLOT, tg_value, tg_value_ndim, tg_value_shape, tg_value_size
from tapegrad._native._core cimport await_readers, begin_reading, check, late, pass_time, pool, registry, warn
from tapegrad._native.external cimport rule_name
from tapegrad._native.following cimport watch_value
from tapegrad._native.passing cimport output_shape, saved_tensor
from tapegrad._native.recording cimport owners
from tapegrad._native.shaping cimport in_shape
from tapegrad._native.sweeps cimport FEW, sweep
from tapegrad._native.targets cimport add_own, all_values, own_tangent, seeds_for, zeros_of, zeros_wanted
from tapegrad._native.values cimport Value, changes, find_slot, settled_now

import numpy as np

from tapegrad._native._core import OPS
from tapegrad._native.arrays import own
from tapegrad._native.shaping import transpose
from tapegrad._native.structural import STRUCTURAL_NAMES
from tapegrad._native.targets import flatten_values, pack_values, unit_stack
from tapegrad.dtypes import DTYPES

cdef enum:
    NEW        # never entered
    RECORDING
    STOPPED    # left; what it recorded is alive
    CONSUMED   # not persistent, and its gradient was taken

cdef enum:
    CHUNK_ELEMENTS = 1 << 15  # of a stacked cotangent that stay in the cache while the sweep passes

cdef str ONE_SET = "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
cdef str INSIDE = (
    "Calling GradientTape.gradient on a persistent tape inside its context is significantly less efficient than "
    "calling it outside the context (it causes the gradient ops to be recorded on the tape, leading to increased CPU "
    "and memory usage). Only call GradientTape.gradient inside the context if you actually want to trace the gradient "
    "in order to compute higher order derivatives.")


cdef void release_payload(void *payload) noexcept nogil:
    """Payloads belong to the GradientTape's list, where the cycle collector sees them; the node only borrows."""


cdef class GradientTape:
    """GradientTape(persistent=False, watch_accessed_variables=True, *, debug=False, max_bytes=None)\n--\n
    Records operations on watched values, and differentiates them.

    Trainable variables are watched when they are read inside the `with` block; other values by `watch`. Each thread
    has its own stack of recording tapes. A tape may be entered again: what it recorded stays.

    Parameters
    ----------
    persistent : bool
        Keep what was recorded after `gradient`, so that it can be called again. Otherwise it is freed.
    watch_accessed_variables : bool
        Whether trainable variables are watched when they are read.
    debug : bool
        Whether to remember where each operation was called, and what became of values that left the tape, for
        `explain` and `summary`. It makes recording slower, and keeps these values, and after `gradient` what was
        recorded, until the tape is reset, entered again, or gone.
    max_bytes : int, optional
        The most memory that the tape and what it saves may take; beyond it an operation raises MemoryError and names
        the largest contributors. It makes recording slower.

    Examples
    --------
    >>> import tapegrad as tf
    >>> x = tf.Variable(3.0)
    >>> with tf.GradientTape() as tape:
    ...     y = x**2
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __cinit__(self):
        tg_tape_init(&self.tape, pool, 0, release_payload)
        self.tape.owner = <void *>self
        self.within = frozenset()
        self.state = NEW

    def __init__(self, persistent=False, watch_accessed_variables=True, *, debug=False, max_bytes=None):
        self.persistent = persistent
        self.tape.watches = watch_accessed_variables
        if debug or max_bytes is not None:
            self._observe(late("_observing").Observer(self, debug, max_bytes))

    def __reduce__(self):
        raise TypeError("a GradientTape cannot be pickled or copied, since it refers to what this process holds: take "
                        "gradient() here and pass the gradients on, or let the other process record for itself")

    def __dealloc__(self):
        tg_registry_remove(&registry, &self.tape)
        tg_tape_clear(&self.tape, 0)

    cdef int forget(self, bint renew) except -1:
        """Drops everything recorded; renew: the tape can record again at once."""
        if self.observer is not None:
            self.observer.forgot()
        if TG_WITHOUT_INTERPRETER_LOCK:
            _kept = self.give_up_lists()
            while not tg_reading_forget(&self.tape, &registry, renew):
                pass_time()
            return 0
        await_readers(&self.tape)
        tg_registry_remove(&registry, &self.tape)
        tg_tape_clear(&self.tape, tg_registry_new_id(&registry) if renew else 0)
        if renew:
            tg_registry_add(&registry, &self.tape)
        self.variables = self.payloads = None
        return 0

    cdef int remember_variable(self, object variable) except -1:
        if TG_WITHOUT_INTERPRETER_LOCK:
            self.lists()[0].append(variable)
            return 0
        if self.variables is None:
            self.variables = []
        self.variables.append(variable)
        return 0

    cdef int keep(self, object payload) except -1:
        if TG_WITHOUT_INTERPRETER_LOCK:
            self.lists()[1].append(payload)
            return 0
        if self.payloads is None:
            self.payloads = []
        self.payloads.append(payload)
        return 0

    # Where no interpreter lock makes one step of these.

    @cython.critical_section
    cdef tuple lists(self):
        """The lists of variables and payloads."""
        if self.variables is None:
            self.variables = []
        if self.payloads is None:
            self.payloads = []
        return self.variables, self.payloads

    @cython.critical_section
    cdef tuple give_up_lists(self):
        """What nodes refer to, which goes after them; what is recorded from now on is listed anew."""
        lists = self.variables, self.payloads
        self.variables = self.payloads = None
        return lists

    @cython.critical_section
    cdef bint claims(self, int before, int after, tuple variables=None) except -1:
        """Takes the tape from one state to another, if no other thread has taken it from there; CONSUMED with the
        variables that it remembers."""
        if self.state != before:
            return False
        self.state = after
        self.remembered = variables
        return True

    @cython.critical_section
    cdef tuple recalled(self):
        """The variables of a tape that is CONSUMED, else None."""
        return self.remembered if self.state == CONSUMED else None

    def _observe(self, observer):
        """Makes `observer` hear of every node from now on; None ends it."""
        self.observer = observer
        self.tape.observed = observer is not None

    def _nodes(self, uint32_t slot=0, size_t limit=0):
        """What the tape holds from a slot on (no more than `limit` nodes, if that is not 0), in order: (slot, kind,
        name, slots of the operands (None for constants), [(shape, dtype)] of the outputs, [(address, bytes)] of the
        buffers of the saved arrays) for each node."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        try:
            return self.nodes_from(slot, limit)
        finally:
            tg_reading_end(&self.tape, reading)

    cdef list nodes_from(self, uint32_t slot, size_t limit):
        cdef uint32_t k
        cdef int bit
        cdef tg_node *node
        cdef tg_value saved
        cdef list result = []
        while slot < self.tape.slots:
            node = tg_tape_node(&self.tape, slot)
            held = []
            kind, name = "watched", "watch"
            if node.kind == TG_NODE_EXTERNAL:
                kind, name = "external", rule_name((<tuple><object>tg_node_payload(node)[0])[0])
                held = arrays_in((<tuple><object>tg_node_payload(node)[0])[1], [])
            elif node.kind != TG_NODE_LEAF:
                kind = "elementwise" if node.kind == TG_NODE_ELEMENTWISE else "structural"
                name = OPS[node.op] if node.kind == TG_NODE_ELEMENTWISE else STRUCTURAL_NAMES[node.op]
                for bit in range(TG_MAX_OPERANDS + 1):
                    if node.array_mask >> bit & 1:
                        saved = tg_node_saved_value(node, bit)
                        if saved.array != NULL:  # a number that did not fit the word counts with the nodes
                            held.append(buffer_of(saved.array))
            result.append((slot, kind, name,
                           [None if node.in_[k] == TG_NO_SLOT else node.in_[k] for k in range(node.operands)],
                           [(output_shape(tg_tape_output(&self.tape, slot + k)),
                             DTYPES[tg_tape_output(&self.tape, slot + k).dtype]) for k in range(tg_node_outputs(node))],
                           held))
            slot += tg_node_outputs(node)
            if len(result) == <Py_ssize_t>limit:
                break
        return result

    def _parameters(self, uint32_t slot):
        """The parameters of a structural node: those of structural.h, as a tuple."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        cdef tg_node *node = tg_tape_node(&self.tape, slot)
        cdef int i
        try:
            if node.kind != TG_NODE_STRUCTURAL:
                raise ValueError("only structural nodes have parameters")
            return tuple([tg_node_params(node)[i] for i in range(tg_node_params_count(node))])
        finally:
            tg_reading_end(&self.tape, reading)

    def _rule(self, uint32_t slot):
        """The rule of a node that has it in Python, and what it saved: what `record` was given."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        cdef tg_node *node = tg_tape_node(&self.tape, slot)
        try:
            if node.kind != TG_NODE_EXTERNAL:
                raise ValueError("only nodes with rules in Python have these")
            return <tuple><object>tg_node_payload(node)[0]
        finally:
            tg_reading_end(&self.tape, reading)

    def _saved(self, uint32_t slot, int bit):
        """What a native node saved of operand `bit` (3: of its result), as a tensor; None if it saved nothing there."""
        cdef tg_reading reading = begin_reading(&self.tape, False)
        cdef tg_node *node = tg_tape_node(&self.tape, slot)
        try:
            if node.kind == TG_NODE_EXTERNAL or not node.saved_mask >> bit & 1:
                return None
            return saved_tensor(&self.tape, node, bit)
        finally:
            tg_reading_end(&self.tape, reading)

    def _slot(self, Value value not None):
        """The slot under which the tape knows a value, or None; looking does not watch."""
        if self.tape.id == 0:  # nobody's, which stands for an empty handle too
            return None
        cdef uint32_t slot = find_slot(value, self.tape.id)
        return None if slot == TG_NO_SLOT else slot

    @property
    def _arena_bytes(self):
        """The bytes of nodes and of their table."""
        return tg_tape_bytes(&self.tape)

    @property
    def _situation(self):
        """("new", "recording", "paused", "stopped" or "consumed", whether variables are watched when they are read)."""
        situation = "paused" if self.paused else ("new", "recording", "stopped", "consumed")[self.state]
        return situation, bool(self.tape.watches)

    cdef bint keeps(self):
        """Whether what was recorded outlives its use, for a later explanation."""
        return self.persistent or (self.observer is not None and self.observer.debug)

    cdef int start(self) except -1:
        check(tg_thread_push(&self.tape))
        Py_INCREF(self)  # the thread's list borrows the tape
        self.state = RECORDING
        if tg_thread_current().checking > 0 and self.observer is None:
            self._observe(late("_observing").Observer(self, False, None))
        if self.observer is not None:
            self.observer.entered()
        return 0

    cdef int stop(self) except -1:
        if not tg_thread_remove(&self.tape):
            raise RuntimeError("a tape stops recording on the thread that entered it; this is another one")
        self.state = STOPPED
        if self.observer is not None:
            self.observer.exited()
        Py_DECREF(self)
        return 0

    def __enter__(self):
        cdef int before = self.state
        cdef bint entered = False
        if before == RECORDING or (TG_WITHOUT_INTERPRETER_LOCK and not self.claims(before, RECORDING)):
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        try:
            if self.tape.readers:
                raise RuntimeError("the tape is being differentiated on another thread; enter it when that is done")
            if before != STOPPED:
                self.forget(True)
            self.start()
            entered = True
        finally:
            if TG_WITHOUT_INTERPRETER_LOCK and not entered:
                self.state = before
        return self

    def __exit__(self, *details):
        if self.state == RECORDING:
            self.stop()

    def watch(self, tensor):
        """Follows a tensor or variable, or every one in a nested structure, from now on.

        Raises
        ------
        ValueError
            for anything that is not a tensor or a variable
        RuntimeError
            if the tape was never entered, or is consumed
        """
        if self.state == NEW or self.state == CONSUMED:
            raise RuntimeError("watch() needs a tape that has been entered: use it inside `with tape:`")
        if isinstance(tensor, Value):
            self.watch_one(tensor)
            return
        if (type(tensor) is list or type(tensor) is tuple) and all_values(tensor):
            leaves = tensor
        else:
            leaves = late("nest").flatten(tensor)
            for leaf in leaves:
                if not isinstance(leaf, Value):
                    raise ValueError(f"Passed in object {leaf} of type {type(leaf).__name__!r}, not tf.Tensor or "
                                     "tf.Variable or ExtensionType.")
        for leaf in leaves:
            self.watch_one(leaf)

    cdef int watch_one(self, Value value) except -1:
        if not tg_dtype_is_inexact(value.value.dtype):
            warn("The dtype of the watched tensor must be floating (e.g. tf.float32), got tf.%s: its gradient will be "
                 "None. Write the number as 3.0, or pass dtype=tf.float32.", value.dtype.name)
            return 0
        watch_value(&self.tape, value)
        return 0

    def watched_variables(self):
        """The variables watched so far, in the order of their construction."""
        if TG_WITHOUT_INTERPRETER_LOCK:
            variables = self.recalled()
            return tuple(sorted(self.lists()[0], key=_birth)) if variables is None else variables
        if self.state == CONSUMED:
            return () if self.remembered is None else self.remembered
        return () if self.variables is None else tuple(sorted(self.variables, key=_birth))

    def stop_recording(self):
        """A context in which this tape records nothing.

        Raises RuntimeError if the tape was never entered or is consumed, ValueError if it is not recording.
        """
        return _StopRecording(self)

    def reset(self):
        """Forgets everything recorded and watched; the tape goes on recording.

        Raises ValueError if it is not recording.
        """
        if self.state != RECORDING:
            raise ValueError("Tape is not recording.")
        self.forget(True)

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients="none"):
        """The gradient of the sum of all elements of `target` with respect to each of `sources`.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        output_gradients : as `target`, optional
            The cotangent of each target, of its shape and dtype; None stands for ones.
        unconnected_gradients : UnconnectedGradients or its value, "none" or "zero"
            What stands for the gradient of a source that no target depends on: None, or zeros.

        Returns
        -------
        Tensor or None, or the structure of `sources` with these
            Each of the shape and dtype of its source.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and this is the second call
        TypeError
            if a target or source is not a tensor or variable
        ValueError
            if `output_gradients` does not fit the targets, or for an unknown `unconnected_gradients`
        """
        cdef list targets, flat_sources, seeds, results
        cdef bint zero
        self.check_usable()
        zero = zeros_wanted(unconnected_gradients)
        if target is None:
            raise TypeError("Argument `target` should be a list or nested structure of Tensors, Variables or "
                            "CompositeTensors to be differentiated, but received None.")
        targets = flatten_values(target, "target")
        flat_sources = flatten_values(sources, "sources")
        seeds = seeds_for(targets, output_gradients)
        self.end_recording()
        results = self.differentiate(targets, flat_sources, seeds)
        if zero:
            results = [zeros_of(<Value>s) if r is None else r for r, s in zip(results, flat_sources)]
        return pack_values(sources, results)

    def jacobian(self, target, sources, unconnected_gradients="none", parallel_iterations=None,
                 experimental_use_pfor=True, *, max_bytes=None, progress=False):
        """The derivative of each element of `target` with respect to each element of `sources`.

        All rows go through one reverse sweep, or all columns through one forward push where the sources have fewer
        elements than the target; large ones in chunks.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        unconnected_gradients : UnconnectedGradients or its value, "none" or "zero"
            What stands for the Jacobian with respect to a source that the target does not depend on.
        parallel_iterations, experimental_use_pfor
            TensorFlow's; they have no effect.
        max_bytes : int, optional
            A bound for the memory of the intermediate results of a chunk.
        progress : bool
            Whether to show a progress bar, which needs tqdm.

        Returns
        -------
        Tensor or None, or the structure of `sources` with these
            Of shape ``target.shape + source.shape`` and the source's dtype. For a structure of targets, that structure
            with one such result each.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        TypeError
            if a target or source is not a tensor or variable
        ValueError
            for an unknown `unconnected_gradients`
        """
        zero = zeros_wanted(unconnected_gradients)
        if (isinstance(target, Value) and isinstance(sources, Value) and max_bytes is None and not progress
                and not (changes(target) or changes(sources))):
            if self.in_one_pass(target, sources):
                return self.jacobian_in_one_pass(target, sources, zero)
        return late("_jacobians").jacobian(self, target, sources, zero, max_bytes, progress)

    cdef bint in_one_pass(self, Value target, Value source):
        """Whether a Jacobian is so small and simple that nothing has to be decided but the direction."""
        cdef tg_index rows = tg_value_size(&target.value), columns = tg_value_size(&source.value)
        cdef tg_index widest = max(rows, columns, self.typical_size())
        return (rows > 0 and columns > 0 and tg_dtype_is_native(target.value.dtype)
                and source.value.dtype == target.value.dtype and min(rows, columns) * widest <= CHUNK_ELEMENTS
                and tg_value_ndim(&target.value) + tg_value_ndim(&source.value) < TG_MAX_DIMS)

    cdef object jacobian_in_one_pass(self, Value target, Value source, bint zero):
        cdef tg_index rows = tg_value_size(&target.value), columns = tg_value_size(&source.value)
        cdef tg_index shape[TG_MAX_DIMS]
        cdef int t_ndim = tg_value_ndim(&target.value), s_ndim = tg_value_ndim(&source.value), d
        self._open()
        try:
            if rows <= columns:
                found = self._pull([target], [source], [unit_stack(target, 0, rows)], rows)[0]
            else:
                found = self._push([target], [source], [unit_stack(source, 0, columns)], columns)[0]
            if found is None:
                return own(np.zeros(target.shape + source.shape, source.dtype.as_numpy_dtype)) if zero else None
            if rows > columns:
                found = transpose(found, (*range(1, t_ndim + 1), 0))
            for d in range(t_ndim):
                shape[d] = tg_value_shape(&target.value)[d]
            for d in range(s_ndim):
                shape[t_ndim + d] = tg_value_shape(&source.value)[d]
            return in_shape(found, t_ndim + s_ndim, shape)
        finally:
            self._close()

    def batch_jacobian(self, target, source, unconnected_gradients="none", parallel_iterations=None,
                       experimental_use_pfor=True, *, max_bytes=None):
        """The Jacobian of each row of `target` with respect to the same row of `source`.

        Rows must not depend on other rows' sources: what they contribute is summed.

        Parameters
        ----------
        target : tensor or variable of shape (b, ...)
        source : tensor or variable of shape (b, ...)
        unconnected_gradients : UnconnectedGradients or its value
            Without effect but for the check: a source without influence gives zeros, as in TensorFlow.
        parallel_iterations, experimental_use_pfor
            TensorFlow's; they have no effect.
        max_bytes : int, optional
            A bound for the memory of the intermediate results of a chunk.

        Returns
        -------
        Tensor
            Of shape ``target.shape + source.shape[1:]``.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        ValueError
            if there are fewer than two dimensions, or the numbers of rows differ
        TypeError
            if target or source is not one tensor or variable
        """
        zeros_wanted(unconnected_gradients)
        return late("_jacobians").batch_jacobian(self, target, source, max_bytes)

    def pullback(self, target, sources, cotangents):
        """The gradients for many cotangents of `target` in one sweep: products with the Jacobian from the left.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        cotangents : as `target`
            For each target a stack of n cotangents, of shape ``(n, *target.shape)``; None stands for zeros.

        Returns
        -------
        Tensor or None, or the structure of `sources` with these
            Of shape ``(n, *source.shape)``.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        ValueError
            if the shapes do not fit
        """
        return late("_jacobians").pullback(self, target, sources, cotangents)

    def pushforward(self, target, sources, tangents):
        """The tangents of `target` for many tangents of `sources` in one push: products with the Jacobian from the
        right.

        Parameters
        ----------
        target : tensor, variable, or nested structure of these
        sources : tensor, variable, or nested structure of these
        tangents : as `sources`
            For each source a stack of n tangents, of shape ``(n, *source.shape)``; None stands for zeros.

        Returns
        -------
        Tensor or None, or the structure of `target` with these
            Of shape ``(n, *target.shape)``.

        Raises
        ------
        RuntimeError
            if the tape was never entered, or is not persistent and has been used up
        ValueError
            if the shapes do not fit
        """
        return late("_jacobians").pushforward(self, target, sources, tangents)

    def _pull(self, list targets, list sources, list cotangents, tg_index batch):
        """One sweep for `batch` cotangents of each target (None: zero), stacked along a new first axis; so are the
        results, with None where there is no dependence. The tape stays as it is."""
        cdef Py_ssize_t i
        cdef uint32_t *slots
        cdef tg_reading reading = begin_reading(&self.tape, False)
        known = [(t, c) for t, c in zip(targets, cotangents) if c is not None]
        slots = <uint32_t *>malloc((len(sources) + len(known) + 1) * sizeof(uint32_t))
        try:
            if slots == NULL:
                raise MemoryError()
            for i in range(len(sources)):
                slots[i] = find_slot(<Value>sources[i], self.tape.id)
            for i in range(len(known)):
                slots[len(sources) + i] = find_slot(<Value>known[i][0], self.tape.id)
            seeds = [c for _, c in known]
            results = sweep(&self.tape, self.observer, len(sources), slots, len(known), slots + len(sources), seeds,
                            batch, False)
            add_own(results, sources, slots, [t for t, _ in known], seeds)
            return results
        finally:
            tg_reading_end(&self.tape, reading)
            free(slots)

    def _push(self, list targets, list sources, list tangents, tg_index batch=0):
        """One push of the sources' tangents (None: zero), with a batch stacked along a new first axis, to those of the
        targets, None where there is no dependence. The tape stays as it is."""
        push = late("_native").Push(self, batch)
        cdef bint seeded = False
        cdef tg_reading reading = begin_reading(&self.tape, False)
        try:
            for source, tangent in zip(sources, tangents):
                if tangent is not None and find_slot(<Value>source, self.tape.id) != TG_NO_SLOT:
                    push.seed(source, tangent)
                    seeded = True
            if seeded:
                push.prune(targets)
                for target in targets:
                    push.advance(target)
            return [own_tangent(target, sources, tangents) if self._slot(target) is None else push.tangent(target)
                    for target in targets]
        finally:
            tg_reading_end(&self.tape, reading)

    def _follow(self, list values):
        """Watches values from now on, before the tape is entered for the first time."""
        self.forget(True)
        self.state = STOPPED
        for value in values:
            self.watch_one(<Value?>value)

    cdef int check_usable(self) except -1:
        if self.state == NEW or self.state == CONSUMED:
            raise RuntimeError(ONE_SET)
        return 0

    cdef int end_recording(self) except -1:
        """Taking derivatives ends the recording of a tape that is not persistent."""
        if self.state == RECORDING:
            if not self.persistent:
                self.stop()
            elif not self.paused:
                warn(INSIDE)
        return 0

    cdef int use_up(self) except -1:
        """Before the first sweep, so that no other thread starts on what is used up: this set of derivatives is the
        only one, unless the tape is persistent."""
        if not self.persistent:
            if TG_WITHOUT_INTERPRETER_LOCK:
                if not self.claims(STOPPED, CONSUMED, tuple(sorted(self.lists()[0], key=_birth))):
                    raise RuntimeError(ONE_SET)
                return 0
            self.remembered = None if self.variables is None else self.watched_variables()
            self.state = CONSUMED
        return 0

    def _open(self):
        """Checks that derivatives can be taken now, and begins to take them; `_close` must follow."""
        self.check_usable()
        self.end_recording()
        self.use_up()

    def _close(self):
        """After the last derivative of a set: what has been used up goes."""
        if not self.keeps():
            self.forget(False)

    cdef tg_index typical_size(self):
        """The elements of a recorded array, on average."""
        return self.tape.work // max(<tg_index>self.tape.nodes, 1)

    def _rows_per_chunk(self, Value like not None):
        """How many cotangents of a value's shape fit into a chunk that the cache holds."""
        if changes(like):
            like = settled_now(like)
        return CHUNK_ELEMENTS // max(tg_value_size(&like.value), self.typical_size(), 1)

    @property
    def _work(self):
        """The elements of all recorded arrays."""
        return self.tape.work

    def explain(self, target, source):
        """Says why the gradient of `target` with respect to `source` is None or zero.

        A tape that was made with ``debug=True`` knows what happened to the values that left it, and the lines of the
        program; another one says what it can. What a debug tape has recorded stays for this after `gradient`.

        Parameters
        ----------
        target : tensor or variable
        source : tensor or variable

        Returns
        -------
        Explanation
            Its text by `str`; `reason`, `where`, `op` and `path` as attributes.

        Raises
        ------
        TypeError
            if one of them is not a tensor or a variable

        Examples
        --------
        >>> import tapegrad as tf
        >>> x = tf.Variable(3.0)
        >>> with tf.GradientTape(debug=True) as tape:
        ...     y = 2.0 * tf.stop_gradient(x)
        >>> tape.gradient(y, x) is None
        True
        >>> tape.explain(y, x).reason
        'stop_gradient'
        """
        return late("_observing").explain(self, target, source)

    def summary(self, group=True, limit=40):
        """A table of what the tape has recorded: operations, shapes, dtypes, bytes saved, and on a debug tape lines and
        times.

        Parameters
        ----------
        group : bool
            Whether nodes of one operation, line, shape and dtype share a row.
        limit : int, optional
            The most rows that are printed, those that save most; None prints all.

        Returns
        -------
        Summary
            Its text by `str`; `rows` and totals as attributes.

        Examples
        --------
        >>> import tapegrad as tf
        >>> x = tf.ones([3], dtype=tf.float64)
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = tf.exp(x) * x
        >>> tape.summary()
        op        shape  dtype    nodes  saved bytes
        watch     (3,)   float64      1            0
        exp       (3,)   float64      1           24
        multiply  (3,)   float64      1           24
        3 nodes, 48 bytes in 2 saved arrays, 148 bytes of tape
        """
        return late("_drawing").summary(self, group, limit)

    def to_dot(self, limit=200):
        """The recorded graph in Graphviz's language.

        Parameters
        ----------
        limit : int, optional
            The most nodes that are drawn, the last ones of the tape; None draws all.

        Returns
        -------
        str

        Examples
        --------
        >>> import tapegrad as tf
        >>> x = tf.Variable(3.0)
        >>> with tf.GradientTape() as tape:
        ...     y = x * x
        >>> print(tape.to_dot().splitlines()[0])
        digraph tape {
        """
        return late("_drawing").to_dot(self, limit)

    def _repr_html_(self):
        """The drawing that notebooks show."""
        return late("_drawing").to_html(self)

    @property
    def nbytes(self):
        """The bytes that the tape keeps in memory: its nodes, and the arrays that they save.

        Each buffer counts once and as a whole, even if a node saves a view of part of it or the program holds it too.
        What Python rules save beside tensors, arrays, and lists and tuples of these does not count.
        """
        return late("_drawing").nbytes(self)

    cdef list differentiate(self, list targets, list sources, list seeds):
        """Gradients by position of the sources, None where there is none. Consumes a tape that is not persistent."""
        cdef list results
        cdef Py_ssize_t i
        cdef size_t sources_count = len(sources), targets_count = len(targets)
        cdef uint32_t few[FEW]
        cdef uint32_t *slots = few
        cdef tg_reading reading = TG_READING_WITHIN
        self.use_up()
        if sources_count + targets_count > FEW:
            slots = <uint32_t *>malloc((sources_count + targets_count) * sizeof(uint32_t))
            if slots == NULL:
                raise MemoryError()
        try:
            if TG_WITHOUT_INTERPRETER_LOCK:
                reading = begin_reading(&self.tape, not self.keeps())
            for i in range(len(sources)):
                if not tg_dtype_is_inexact((<Value>sources[i]).value.dtype):
                    warn("The dtype of the source tensor must be floating (e.g. tf.float32) when calling "
                         "GradientTape.gradient, got tf.%s: there is no gradient. Write the number as 3.0, or pass "
                         "dtype=tf.float32.", sources[i].dtype.name)
                slots[i] = find_slot(<Value>sources[i], self.tape.id)
            for i in range(len(targets)):
                slots[sources_count + i] = find_slot(<Value>targets[i], self.tape.id)
            try:
                results = sweep(&self.tape, self.observer, sources_count, slots, targets_count, slots + sources_count,
                                seeds, 0, not self.keeps())
            finally:
                self._close()
            add_own(results, sources, slots, targets, seeds)
        finally:
            tg_reading_end(&self.tape, reading)
            if slots != few:
                free(slots)
        return results


def _birth(variable):
    return (<Value>variable).birth


def recording_tapes():
    """The tapes that record on this thread, outermost first."""
    cdef tg_thread *thread = tg_thread_current()
    cdef int i
    return [<object>(<PyObject *>thread.tapes[i].owner) for i in range(thread.base, thread.count)
            if thread.tapes[i].owner != NULL]  # others are the C interface's


def tape_within(within):
    """A tape for a rule's own operations; `within`: the rules on whose behalf it records."""
    cdef GradientTape tape = GradientTape(True, False)
    tape.within = within
    return tape


def accumulator_tape():
    """The tape on which a forward accumulator follows its primals."""
    cdef GradientTape tape = GradientTape(True, False)
    tape.accumulates = True
    return tape


cdef class _StopRecording:
    cdef GradientTape owner

    def __init__(self, GradientTape owner):
        self.owner = owner

    def __enter__(self):
        if self.owner.state == NEW or self.owner.state == CONSUMED:
            raise RuntimeError("Trying to stop recording a tape which is not recording.")
        if self.owner.state != RECORDING:
            raise ValueError("Tape is not recording.")
        self.owner.stop()
        self.owner.paused = True
        if self.owner.observer is not None:
            self.owner.observer.paused()

    def __exit__(self, *details):
        if self.owner.paused and self.owner.observer is not None:
            self.owner.observer.resumed()
        self.owner.paused = False
        if self.owner.state == STOPPED:
            self.owner.start()


cdef tuple buffer_of(tg_array *array):
    """(address, bytes) of the elements that an array keeps in memory: a view those of the array that it looks into."""
    cdef const tg_array *base = tg_array_base(array)
    return <size_t>base.data, base.size * tg_itemsize(base.dtype)


cdef list arrays_in(object saved, list found):
    """(address, bytes) of the arrays of tensors in what a Python rule saved."""
    cdef tg_array *array
    if isinstance(saved, Value):
        array = (<Value>saved).value.array
        if array != NULL:
            found.append(buffer_of(array))
    elif isinstance(saved, np.ndarray):
        found.append((saved.ctypes.data, saved.nbytes))
    elif isinstance(saved, (tuple, list)):
        for part in saved:
            arrays_in(part, found)
    return found


cdef int remember(void *owner, object variable) except -1:
    return (<GradientTape>owner).remember_variable(variable)


cdef int keep(void *owner, object payload) except -1:
    return (<GradientTape>owner).keep(payload)


cdef object observer_of(void *owner):
    return (<GradientTape>owner).observer


cdef object within(void *owner):
    return (<GradientTape>owner).within


owners.remember = remember
owners.keep = keep
owners.observer = observer_of
owners.within = within
