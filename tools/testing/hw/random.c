// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The interpreter beside another one, qemu-riscv64 of Debian's qemu-user: both run the
 * same image of random sequences, and all registers and all memory of each must be
 * the same at its end.
 */

#include <elf.h>
#include <unistd.h>

#include "random.h"
#include "vgem_svm_hw_priv.h"

#define IMAGE_FILE	"hw-random.elf"

static unsigned int ms = 20000;
module_param(ms, uint, 0444);
static unsigned int seed = 1;
module_param(seed, uint, 0444);

/* ---- there ---------------------------------------------------------------- */

static void fill_segment(Elf64_Phdr *p, u32 flags, u64 offset, u64 va, u64 bytes)
{
	p->p_type = PT_LOAD;
	p->p_flags = flags;
	p->p_offset = offset;
	p->p_vaddr = va;
	p->p_paddr = va;
	p->p_filesz = bytes;
	p->p_memsz = bytes;
	p->p_align = SZ_4K;
}

static bool write_image(const struct random_image *image,
			const struct random_block *blocks)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
	} head = {
		.e = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_RISCV,
			.e_version = EV_CURRENT,
			.e_entry = RANDOM_CODE,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
	};
	FILE *file = fopen(IMAGE_FILE, "w");
	bool ok;

	if (!file)
		return false;
	fill_segment(&head.p[0], PF_R | PF_X, SZ_4K, RANDOM_CODE, RANDOM_CODE_BYTES);
	fill_segment(&head.p[1], PF_R | PF_W, SZ_4K + RANDOM_CODE_BYTES, RANDOM_BLOCKS,
		     RANDOM_BLOCK_BYTES);
	ok = fwrite(&head, sizeof(head), 1, file) == 1 &&
	     !fseek(file, SZ_4K, SEEK_SET) &&
	     fwrite(image->code, RANDOM_CODE_BYTES, 1, file) == 1 &&
	     fwrite(blocks, RANDOM_BLOCK_BYTES, 1, file) == 1;
	ok &= !fclose(file);
	return ok;
}

static bool run_there(struct random_block *result)
{
	FILE *pipe = popen("chmod 755 " IMAGE_FILE " && exec qemu-riscv64 ./" IMAGE_FILE, "r");
	bool ok;

	if (!pipe)
		return false;
	ok = fread(result, RANDOM_BLOCK_BYTES, 1, pipe) == 1;
	return !pclose(pipe) && ok;
}

/* ---- here ----------------------------------------------------------------- */

static void run_here(struct test_hw *t)
{
	struct vgem_svm_chan *chan = &t->hw->chans[TEST_CHAN];
	struct vgem_svm_thread *thread = &chan->threads[0];
	struct vgem_svm_unit *unit = chan->unit;

	vgem_svm_unit_lock(unit);
	memset(thread, 0, sizeof(*thread));
	thread->pc = RANDOM_CODE;
	thread->resv_va = ~0ULL;
	thread->state = VGEM_SVM_THREAD_RUN;
	chan->resident = 1;
	while (thread->state == VGEM_SVM_THREAD_RUN &&
	       chan->status == VGEM_SVM_CHAN_ST_ON)
		vgem_svm_rv64_run(chan, thread, VGEM_SVM_QUANTUM);
	vgem_svm_unit_unlock(unit);
	KUNIT_ASSERT_EQ(t->test, chan->err, VGEM_SVM_ERR_NONE);
	KUNIT_ASSERT_EQ(t->test, get(t, VGEM_SVM_REG_FAULT_PUT), 0);
}

/* ---- the suite ------------------------------------------------------------ */

static void show_code(const struct random_image *image, unsigned int i)
{
	unsigned int n;

	for (n = image->first[i]; n < image->first[i + 1]; n++)
		printf("    #   %08llx: %08x\n", RANDOM_CODE + n * 4, image->code[n]);
}

/* Return: false if something differs, which is said. */
static bool same(struct kunit *test, const struct random_image *image,
		 const struct random_block *here, const struct random_block *there,
		 u32 round)
{
	unsigned int i, r;

	for (i = 0; i < RANDOM_SEQUENCES; i++) {
		if (!memcmp(&here[i], &there[i], sizeof(here[i])))
			continue;
		for (r = 0; r < 32; r++)
			if (here[i].end[r] != there[i].end[r])
				KUNIT_FAIL(test, "seed %u, sequence %u: x%u is %#llx, not %#llx",
					   round, i, r, here[i].end[r], there[i].end[r]);
		for (r = 0; r < 2 * RANDOM_DATA; r++)
			if (here[i].data[r] != there[i].data[r])
				KUNIT_FAIL(test, "seed %u, sequence %u: byte %d is %#x, not %#x",
					   round, i, (int)r - RANDOM_DATA,
					   here[i].data[r], there[i].data[r]);
		KUNIT_EXPECT_EQ(test, memcmp(&here[i], &there[i], sizeof(here[i])), 0);
		show_code(image, i);
		return false;
	}
	return true;
}

static void map_all(struct test_hw *t, u64 va, struct test_buf *buf, u64 flags)
{
	u64 offset;

	for (offset = 0; offset < buf->bytes; offset += SZ_4K)
		map(t, va + offset, buf->bus + offset, flags);
}

static void sequences_end_as_on_another_machine(struct kunit *test)
{
	static struct random_block there[RANDOM_SEQUENCES];
	ktime_t end = ktime_add_ms(ktime_get(), ms);
	struct test_hw *t = test->priv;
	struct test_buf *code = test_alloc(t, RANDOM_CODE_BYTES);
	struct test_buf *blocks = test_alloc(t, ALIGN(RANDOM_BLOCK_BYTES, SZ_4K));
	struct random_image image = { .code = code->cpu };
	u32 round = seed;

	if (system("exec qemu-riscv64 --version >/dev/null 2>&1"))
		kunit_skip(test, "there is no qemu-riscv64");
	map_all(t, RANDOM_CODE, code, PTE_RO);
	map_all(t, RANDOM_BLOCKS, blocks, PTE_RWA);
	do {
		random_generate(&image, blocks->cpu, round);
		KUNIT_ASSERT_LE(test, image.n * 4, RANDOM_CODE_BYTES);
		KUNIT_ASSERT_TRUE(test, write_image(&image, blocks->cpu));
		KUNIT_ASSERT_TRUE(test, run_there(there));
		run_here(t);
		if (!same(test, &image, blocks->cpu, there, round++))
			break;
	} while (ktime_before(ktime_get(), end));
	kunit_info(test, "seeds %u to %u, %u sequences each, %u instructions\n", seed,
		   round - 1, RANDOM_SEQUENCES, image.n);
}

static struct kunit_case vgem_svm_random_cases[] = {
	KUNIT_CASE(sequences_end_as_on_another_machine),
	{}
};

static struct kunit_suite vgem_svm_random_suite = {
	.name = "vgem_svm_random",
	.init = test_init,
	.exit = test_exit,
	.test_cases = vgem_svm_random_cases,
};

kunit_test_suite(vgem_svm_random_suite);
