# What the binding uses of api.h and of the function table.
from tapecore.core cimport tg_status
from tapecore.ops cimport tg_loops
from tapecore.pool cimport tg_pool
from tapecore.registry cimport tg_registry
from tapecore.structural cimport tg_call
from tapecore.value cimport tg_handles, tg_value

cdef extern from "api.h" nogil:
    ctypedef enum tapegrad_status:
        TAPEGRAD_OK, TAPEGRAD_NO_MEMORY, TAPEGRAD_INTERRUPTED, TAPEGRAD_CALLBACK, TAPEGRAD_BAD_DTYPE, TAPEGRAD_BAD_VALUE
    ctypedef struct tapegrad_context:
        pass
    ctypedef struct tapegrad_op:
        pass
    ctypedef struct tapegrad_value:
        tg_value value
        tg_handles handles
    ctypedef struct tg_application:
        tapegrad_op *op
        int operands_count, results_count
    ctypedef struct tg_host:
        tapegrad_status (*elementwise)(int op, int count, tapegrad_value *const *operands, tapegrad_value *out) noexcept
        tapegrad_status (*structural)(const tg_call *call, int count, tapegrad_value *const *operands,
                                      tapegrad_value *out) noexcept
        tapegrad_status (*record)(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                  tapegrad_value *const *results) noexcept
        tg_status (*poll)(void *context) noexcept
    tapegrad_status tg_context_create(tg_pool *pool, const tg_loops *loops, tg_registry *registry, const tg_host *host,
                                      tapegrad_context **out)
    tapegrad_value *tg_value_wrap(tapegrad_context *context, tg_value value)
    tapegrad_status tg_application_create(const tapegrad_op *op, int count, tapegrad_value *const *operands,
                                          tapegrad_value *const *results, tg_application **out)
    void tg_application_release(void *application)
    bint tg_application_has_jvp(const tg_application *application)
    tapegrad_status tg_application_vjp(const tg_application *application, tapegrad_value *const *results_cotangents,
                                       const unsigned char *wanted, tapegrad_value **cotangents)
    tapegrad_status tg_application_jvp(const tg_application *application, tapegrad_value *const *operands_tangents,
                                       tapegrad_value **tangents)
    const char *tapegrad_op_name(const tapegrad_op *op)
    const char *tapegrad_error_text()
    tapegrad_status tapegrad_error_status()
    tapegrad_status tapegrad_fail(tapegrad_status status, const char *text)
    void tapegrad_release(tapegrad_value *value)

cdef extern from "tapegrad/tapecore_table.h":
    ctypedef struct tapegrad_table:
        tapegrad_context *(*context_new)() noexcept
        tapegrad_status (*context_free)(tapegrad_context *context) noexcept
        object (*to_python)(tapegrad_value *value)
        tapegrad_value *(*from_python)(object argument, int dtype) except NULL
        object (*raise_ "raise")()
    const tapegrad_table tg_api_table
