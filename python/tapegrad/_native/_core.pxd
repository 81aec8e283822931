from tapecore.core cimport TG_F64, TG_NDTYPES, tg_status
from tapecore.guard cimport TG_WITHOUT_INTERPRETER_LOCK
from tapecore.ops cimport tg_loop, tg_loops
from tapecore.pool cimport tg_pool
from tapecore.reading cimport TG_READING_NOT, tg_reading
from tapecore.registry cimport tg_registry
from tapecore.tape cimport tg_tape
from tapecore.value cimport tg_value

cdef enum:
    RELEASE_LOCK_AT = 1 << 14  # elements from which an operation lets other Python threads run

cdef tg_pool *pool
cdef tg_loops loops
cdef tg_registry registry                              # the ids of tapes that are in use
cdef signed char promoted[TG_NDTYPES][TG_NDTYPES]
cdef int type_numbers[TG_NDTYPES]                      # NumPy's, by ours
cdef signed char dtype_of_number[64]                   # ours, by NumPy's; -1: none
cdef int generation                                    # counts the forks between the first process and this one

cdef int warn(str message, object detail=*) except -1
cdef int check(tg_status status) except -1
cdef tg_loop find_loop(object ufunc, bytes signature)
cdef object late(str name)
cdef int dtype_index(object dtype) except -1
cdef int wait_for_readers(tg_tape *tape) except -1
cdef int pass_time() except -1
cdef tg_reading begin_reading(tg_tape *tape, bint alone) except TG_READING_NOT


cdef inline int dtype_of(int number) noexcept:
    """The dtype with NumPy's type number, or -1 where tapegrad has none."""
    return dtype_of_number[number] if 0 <= number < 64 else -1


cdef inline void set_number(tg_value *number, double x) noexcept:
    """Stores x as the number's type, float32 or float64."""
    if number.dtype == TG_F64:
        number.scalar.f64 = x
    else:
        number.scalar.f32 = <float>x


cdef inline bint large(const tg_value *operands, int count) noexcept:
    cdef int i
    for i in range(count):
        if operands[i].array != NULL and operands[i].array.size >= RELEASE_LOCK_AT:
            return True
    return False


cdef inline int await_readers(tg_tape *tape) except -1:
    """A tape that another thread is sweeping must not move. (Without the interpreter lock it can grow meanwhile.)"""
    if not TG_WITHOUT_INTERPRETER_LOCK and tape.readers:
        wait_for_readers(tape)
    return 0


cdef inline void count_reader(tg_tape *tape, int change) noexcept:
    """Around a sweep that gives the interpreter lock up. Where there is none, begin_reading has counted it."""
    if not TG_WITHOUT_INTERPRETER_LOCK:
        tape.readers += change
