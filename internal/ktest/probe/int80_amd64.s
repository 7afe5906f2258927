#include "textflag.h"

// func interrupt80(nr uintptr) int32
TEXT ·interrupt80(SB), NOSPLIT, $0-12
	MOVQ nr+0(FP), AX
	XORQ BX, BX
	XORQ CX, CX
	XORQ DX, DX
	XORQ SI, SI
	XORQ DI, DI
	INT  $0x80
	MOVL AX, ret+8(FP)
	RET
