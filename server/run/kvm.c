/* SPDX-License-Identifier: MIT */
#include "server/run/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process.h"

#define RUN_TIMEOUT_MS 1000
#define KILL_TIMEOUT_MS 200
#define GUEST_BYTES (2u << 20)
#define GUEST_CODE_ADDR 0x1000
#define GUEST_TABLES_ADDR 0x2000 /* three pages: one 2 MiB page, mapped at 0 */
#define GUEST_SCRATCH_ADDR 0x7000
#define GUEST_PORT 0x10

/*
 * This runs in 64-bit mode, privileged. It does what every Linux kernel does in its first second
 * and what some half-virtualized hosts cannot: their KVM opens, runs real mode, and gives up on
 * cmpxchg16b, though only in stretches that it emulates. So it does that many times, each after a
 * privileged instruction.
 *
 *         mov $GUEST_SCRATCH_ADDR, %ebp; mov $1000, %esi
 *  again: mov %cr3, %rdi; mov %rdi, %cr3
 *         xor %eax, %eax; xor %edx, %edx; xor %ecx, %ecx; mov $5, %ebx; lock cmpxchg16b (%rbp)
 *         dec %esi; jnz again
 *         mov (%rbp), %al; out %al, $GUEST_PORT; hlt
 */
static const unsigned char guest_code[] = { 0xbd, 0x00, 0x70, 0, 0, 0xbe, 0xe8, 0x03, 0, 0, 0x0f,
	0x20, 0xdf, 0x0f, 0x22, 0xdf, 0x31, 0xc0, 0x31, 0xd2, 0x31, 0xc9, 0xbb, 5, 0, 0, 0, 0xf0,
	0x48, 0x0f, 0xc7, 0x4d, 0x00, 0xff, 0xce, 0x75, 0xe5, 0x8a, 0x45, 0x00, 0xe6, GUEST_PORT,
	0xf4 };

/* These are bits of CR0, CR4, EFER and of page table entries (Intel SDM volume 3, 2.5 and 4.5). */
#define CR0_PE_MP_ET_NE_WP_PG 0x80010033u
#define CR4_PAE 0x20u
#define EFER_LME_LMA 0x500u
#define PAGE_PRESENT_WRITE 0x3u
#define PAGE_LARGE 0x80u

enum kvm_outcome {
	OUTCOME_WORKS,
	OUTCOME_NO_DEVICE,
	OUTCOME_NO_RIGHT,
	OUTCOME_NO_OPEN,
	OUTCOME_NO_VM,
	OUTCOME_NO_RUN,
	OUTCOME_WRONG,
	OUTCOME_HANGS,
	OUTCOME_DIES,
};

static const char *const reasons[] = {
	[OUTCOME_WORKS] = "a vCPU runs",
	[OUTCOME_NO_DEVICE] = "there is no /dev/kvm",
	[OUTCOME_NO_RIGHT] = "no right to open /dev/kvm (be in the group kvm)",
	[OUTCOME_NO_OPEN] = "/dev/kvm cannot be opened",
	[OUTCOME_NO_VM] = "/dev/kvm makes no VM",
	[OUTCOME_NO_RUN] = "/dev/kvm runs no vCPU",
	[OUTCOME_WRONG] = "a vCPU computes wrongly",
	[OUTCOME_HANGS] = "a vCPU does not get anywhere within a second",
	[OUTCOME_DIES] = "running a vCPU kills the process",
};

static enum kvm_outcome open_kvm(const char *device, int *kvm)
{
	*kvm = open(device, O_RDWR | O_CLOEXEC);
	if (*kvm >= 0)
		return OUTCOME_WORKS;
	if (errno == EACCES || errno == EPERM)
		return OUTCOME_NO_RIGHT;
	return errno == ENOENT ? OUTCOME_NO_DEVICE : OUTCOME_NO_OPEN;
}

/* Maps one 2 MiB page at address 0, through four levels of tables. */
static void write_page_tables(unsigned char *memory)
{
	uint64_t entries[] = { (GUEST_TABLES_ADDR + 0x1000) | PAGE_PRESENT_WRITE,
		(GUEST_TABLES_ADDR + 0x2000) | PAGE_PRESENT_WRITE,
		PAGE_PRESENT_WRITE | PAGE_LARGE };
	for (unsigned i = 0; i < 3; i++)
		memcpy(memory + GUEST_TABLES_ADDR + i * 0x1000, &entries[i], sizeof(entries[i]));
}

static int make_vm(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	void *memory =
		mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm < 0 || memory == MAP_FAILED)
		return -1;
	memcpy((unsigned char *)memory + GUEST_CODE_ADDR, guest_code, sizeof(guest_code));
	write_page_tables(memory);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = 0,
		.memory_size = GUEST_BYTES,
		.userspace_addr = (uintptr_t)memory,
	};
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -1 : vm;
}

/* Gives the vCPU all features that KVM supports; without them it has no 64-bit mode. */
static bool set_cpuid(int kvm, int cpu)
{
	enum { ENTRIES_MAX = 256 };
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + ENTRIES_MAX * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return false;
	cpuid->nent = ENTRIES_MAX;
	bool done = ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0 &&
		    ioctl(cpu, KVM_SET_CPUID2, cpuid) == 0;
	free(cpuid);
	return done;
}

static bool prepare_cpu(int cpu)
{
	struct kvm_sregs sregs;
	if (ioctl(cpu, KVM_GET_SREGS, &sregs) < 0)
		return false;
	sregs.cr0 = CR0_PE_MP_ET_NE_WP_PG;
	sregs.cr3 = GUEST_TABLES_ADDR;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME_LMA;
	sregs.cs = (struct kvm_segment){
		.limit = UINT32_MAX, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1
	};
	sregs.ss = (struct kvm_segment){ .limit = UINT32_MAX,
		.selector = 16,
		.type = 3,
		.present = 1,
		.s = 1,
		.db = 1,
		.g = 1 };
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss;
	struct kvm_regs regs = { .rip = GUEST_CODE_ADDR, .rflags = 2 };
	return ioctl(cpu, KVM_SET_SREGS, &sregs) == 0 && ioctl(cpu, KVM_SET_REGS, &regs) == 0;
}

static enum kvm_outcome run_cpu(int kvm, int vm)
{
	int run_bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	int cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (cpu < 0 || run_bytes < (int)sizeof(struct kvm_run))
		return OUTCOME_NO_VM;
	struct kvm_run *run =
		mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED || !set_cpuid(kvm, cpu) || !prepare_cpu(cpu))
		return OUTCOME_NO_VM;
	if (ioctl(cpu, KVM_RUN, 0) < 0)
		return OUTCOME_NO_RUN;
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != GUEST_PORT)
		return OUTCOME_NO_RUN;
	const unsigned char *data = (const unsigned char *)run + run->io.data_offset;
	return *data == 5 ? OUTCOME_WORKS : OUTCOME_WRONG;
}

static enum kvm_outcome try_kvm(const char *device)
{
	int kvm;
	enum kvm_outcome outcome = open_kvm(device, &kvm);
	if (outcome != OUTCOME_WORKS)
		return outcome;
	int vm = make_vm(kvm);
	return vm < 0 ? OUTCOME_NO_VM : run_cpu(kvm, vm);
}

static enum kvm_outcome watch_child(pid_t pid)
{
	bool ended = process_wait_end(pid, RUN_TIMEOUT_MS);
	if (!ended) {
		kill(pid, SIGKILL);
		process_wait_end(pid, KILL_TIMEOUT_MS);
	}
	/* A vCPU may hang beyond the reach of signals. Then the child is left to init. */
	int status = 0;
	if (waitpid(pid, &status, ended ? 0 : WNOHANG) < 0 || !ended)
		return OUTCOME_HANGS;
	if (!WIFEXITED(status) || WEXITSTATUS(status) > OUTCOME_DIES)
		return OUTCOME_DIES;
	return (enum kvm_outcome)WEXITSTATUS(status);
}

bool kvm_works(const char *device, const char **reason)
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(try_kvm(device ? device : "/dev/kvm"));
	}
	enum kvm_outcome outcome = pid < 0 ? OUTCOME_DIES : watch_child(pid);
	*reason = reasons[outcome];
	return outcome == OUTCOME_WORKS;
}
