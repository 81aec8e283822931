cdef class RuleInC:
    pass


cdef object rule_name(object rule)
cdef object record_external(object rule, tuple operands, object results, object saved)
