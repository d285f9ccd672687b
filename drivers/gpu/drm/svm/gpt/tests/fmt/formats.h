/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _DRM_GPT_TEST_FMT_FORMATS_H_
#define _DRM_GPT_TEST_FMT_FORMATS_H_

struct drm_gpt_format;

/* x86-64 CPUs' and IOMMUs': 48 bits, four levels, 4K/2M/1G leaves. */
extern const struct drm_gpt_format drm_gpt_format_x86_64;
/* The same with a fifth level: 57 bits. */
extern const struct drm_gpt_format drm_gpt_format_x86_64_la57;
/* AMD GPUs', GFX9 to GFX11: 48 bits, four levels, 4K/64K/2M leaves. */
extern const struct drm_gpt_format drm_gpt_format_amdgpu_gfx9;
/* Arm's long descriptors: 48 bits; four levels, 4K/64K/2M/32M/1G/16G leaves; */
extern const struct drm_gpt_format drm_gpt_format_lpae_4k;
/* four levels, 16K/2M/32M/1G leaves; */
extern const struct drm_gpt_format drm_gpt_format_lpae_16k;
/* three levels, 64K/2M/512M/16G leaves. */
extern const struct drm_gpt_format drm_gpt_format_lpae_64k;
/* Rockchip IOMMUs', version 2: 32 bits, two levels of 4-byte entries, 4K leaves. */
extern const struct drm_gpt_format drm_gpt_format_rockchip_v2;
/* NVIDIA GPUs', GP100 to AD10x: 49 bits, five levels, 4K/64K/2M leaves. */
extern const struct drm_gpt_format drm_gpt_format_nvidia_gp100;

#endif /* _DRM_GPT_TEST_FMT_FORMATS_H_ */
