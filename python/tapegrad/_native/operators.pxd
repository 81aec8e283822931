from tapegrad._native.values cimport Value

cdef object binary(int op, object left, object right)
cdef object unary(int op, object x)
cdef object operator_call(object function, object left, object right)
cdef object compare(Value left, object right, int relation)
