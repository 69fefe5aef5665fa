/* SPDX-License-Identifier: MIT */
/*
 * llvm_stub: stands for the guest's libLLVM. Mesa's driver library names libLLVM's functions; its
 * virgl driver calls none but LLVMIsMultithreaded, and software renderers call the others. A guest
 * without a software renderer is small and shows at once that virgl is missing.
 */
#include <stdio.h>
#include <unistd.h>

void llvm_missing(const char *symbol);
int LLVMIsMultithreaded(void);

/* Ends the program. Every other symbol is weak and leads here, see Collector.stub_llvm. */
void llvm_missing(const char *symbol)
{
	fprintf(stderr,
		"%s: libLLVM is left out of this guest: a software renderer was chosen, so virgl "
		"is missing\n",
		symbol);
	_exit(86);
}

int LLVMIsMultithreaded(void)
{
	return 1;
}
