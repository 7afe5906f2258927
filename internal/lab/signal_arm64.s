#include "textflag.h"

// quit is called by the kernel with the number of a signal, in R0. It makes one
// call, exit_group(128 + signal), and does not return.
TEXT quit<>(SB), NOSPLIT|NOFRAME, $0
	ADD  $128, R0
	MOVD $94, R8
	SVC
	UNDEF

DATA ·quitAddress(SB)/8, $quit<>(SB)
GLOBL ·quitAddress(SB), RODATA|NOPTR, $8
