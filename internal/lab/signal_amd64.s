#include "textflag.h"

// quit is called by the kernel with the number of a signal, in DI. It makes one
// call, exit_group(128 + signal), and does not return.
TEXT quit<>(SB), NOSPLIT|NOFRAME, $0
	ADDL $128, DI
	MOVL $231, AX
	SYSCALL
	UNDEF

DATA ·quitAddress(SB)/8, $quit<>(SB)
GLOBL ·quitAddress(SB), RODATA|NOPTR, $8
