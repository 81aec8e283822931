/* api_error.c: the last error of each thread, and how shapes and types are named in it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api.h"

static _Thread_local struct {
    tapegrad_status status;
    char text[480];
} tg_last_error;

const char *tapegrad_error_text(void) { return tg_last_error.text; }

tapegrad_status tapegrad_error_status(void) { return tg_last_error.status; }

tapegrad_status tg_fail(tapegrad_status status, const char *format, ...) {
    char text[sizeof tg_last_error.text]; /* an argument may be the old text */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(tg_last_error.text, text, sizeof text);
    tg_last_error.status = status;
    return status;
}

void tg_no_error(void) { tg_last_error.status = TAPEGRAD_OK; }

tapegrad_status tapegrad_fail(tapegrad_status status, const char *text) { return tg_fail(status, "%s", text); }

tapegrad_status tg_fail_core(tg_status status, const char *what) {
    switch (status) {
    case TG_OK: return TAPEGRAD_OK;
    case TG_NO_MEMORY: return tg_fail(TAPEGRAD_NO_MEMORY, "%s: out of memory", what);
    case TG_TOO_LARGE:
        return tg_fail(TAPEGRAD_TOO_LARGE,
                       "%s: an array or a tape would become too large: sizes must fit 63 bits, a tape 2**32 words",
                       what);
    case TG_INTERRUPTED: return tg_fail(TAPEGRAD_INTERRUPTED, "%s: interrupted", what);
    case TG_BAD_SHAPE: return tg_fail(TAPEGRAD_BAD_SHAPE, "%s: the shapes of the operands do not fit", what);
    case TG_CALLBACK: break; /* whoever failed has said why */
    }
    return tg_last_error.status;
}

const char *tg_shape_text(int ndim, const tg_index *shape, char *text) {
    size_t used = (size_t)snprintf(text, TG_SHAPE_TEXT, "(");
    for (int d = 0; d < ndim && used < TG_SHAPE_TEXT - 24; d++) {
        used += (size_t)snprintf(text + used, TG_SHAPE_TEXT - used, d ? ", %td" : "%td", shape[d]);
        if (used >= TG_SHAPE_TEXT - 24 && d + 1 < ndim) {
            used += (size_t)snprintf(text + used, TG_SHAPE_TEXT - used, ", ...");
        }
    }
    snprintf(text + used, TG_SHAPE_TEXT - used, ndim == 1 ? ",)" : ")");
    return text;
}

const char *tg_shape_text_of(const tapegrad_value *value, char *text) {
    return tg_shape_text(tg_value_ndim(&value->value), tg_value_shape(&value->value), text);
}

const char *tg_dtype_name(int dtype) {
    static const char *const names[TG_NDTYPES] = {"bool",   "int8",   "int16",   "int32",   "int64",
                                                  "uint8",  "uint16", "uint32",  "uint64",  "float16",
                                                  "float32", "float64", "complex64", "complex128"};
    return dtype >= 0 && dtype < TG_NDTYPES ? names[dtype] : "unknown";
}
