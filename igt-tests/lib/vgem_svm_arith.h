/* SPDX-License-Identifier: MIT */
#ifndef VGEM_SVM_ARITH_H
#define VGEM_SVM_ARITH_H

/*
 * Arithmetic that the compiler turns into each instruction of RV64IM, with the
 * cases that C leaves undefined kept out. Compiled for the GPU and for the CPU;
 * both have to give the same. Types are spelled out: neither has a header here.
 */

#define VGEM_SVM_ARITH_NR 32

static inline unsigned long vgem_svm_mulh(unsigned long a, unsigned long b)
{
	return (unsigned long)(((__int128_t)(long)a * (long)b) >> 64);
}

static inline unsigned long vgem_svm_mulhu(unsigned long a, unsigned long b)
{
	return (unsigned long)(((__uint128_t)a * (__uint128_t)b) >> 64);
}

static inline void vgem_svm_arith_64(unsigned long a, unsigned long b,
				     unsigned long *out)
{
	long sa = (long)a, sb = (long)b;
	int div = b && !(a == 1UL << 63 && sb == -1);

	out[0] = a + b;
	out[1] = a - b;
	out[2] = a * b;
	out[3] = vgem_svm_mulh(a, b);
	out[4] = vgem_svm_mulhu(a, b);
	out[5] = div ? (unsigned long)(sa / sb) : 0;
	out[6] = div ? (unsigned long)(sa % sb) : 0;
	out[7] = b ? a / b : 0;
	out[8] = b ? a % b : 0;
	out[9] = a << (b & 63);
	out[10] = a >> (b & 63);
	out[11] = (unsigned long)(sa >> (b & 63));
	out[12] = a & b;
	out[13] = a | b;
	out[14] = a ^ b;
	out[15] = sa < sb;
	out[16] = a < b;
	out[17] = (a + 1234) ^ 0x7ff;
	out[18] = (a << 7) | (a >> 57);
	out[19] = (unsigned long)(sa >> 13);
}

static inline void vgem_svm_arith_32(unsigned int a, unsigned int b,
				     unsigned long *out)
{
	int sa = (int)a, sb = (int)b;
	int div = b && !(a == 1U << 31 && sb == -1);

	out[0] = (unsigned long)(long)(int)(a + b);
	out[1] = (unsigned long)(long)(int)(a - b);
	out[2] = (unsigned long)(long)(int)(a * b);
	out[3] = div ? (unsigned long)(long)(sa / sb) : 0;
	out[4] = div ? (unsigned long)(long)(sa % sb) : 0;
	out[5] = b ? a / b : 0;
	out[6] = b ? a % b : 0;
	out[7] = a << (b & 31);
	out[8] = a >> (b & 31);
	out[9] = (unsigned long)(long)(sa >> (b & 31));
	out[10] = (unsigned long)(signed char)a;
	out[11] = (unsigned long)(short)a;
}

static inline void vgem_svm_arith(unsigned long a, unsigned long b,
				  unsigned long *out)
{
	vgem_svm_arith_64(a, b, out);
	vgem_svm_arith_32((unsigned int)a, (unsigned int)b, out + 20);
}

#endif
