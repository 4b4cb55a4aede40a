#define CASVIT_LOOPS_NAMESPACE baseline
#include "trainer/kernels/loops_body.inc"
