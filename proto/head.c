/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte codes of the MessagePack specification (github.com/msgpack/msgpack,
 * spec.md, "Formats").  Each read is guarded by the number of bytes left.
 */
#include "proto/head.h"

/* A load and a turn for each width: compilers know these shapes. */
static uint64_t big_endian(const unsigned char *at, unsigned width)
{
	switch (width) {
	case 1:
		return at[0];
	case 2:
		return (uint64_t)at[0] << 8 | at[1];
	case 4:
		return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
	case 8:
		return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 | (uint64_t)at[3] << 32 |
		       (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 | (uint64_t)at[6] << 8 | at[7];
	default:
		return 0;
	}
}

static uint64_t sign_extended(uint64_t value, unsigned width)
{
	uint64_t sign = UINT64_C(1) << (8 * width - 1);

	return (value ^ sign) - sign;
}

static uint64_t bits_of_double(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static uint64_t bits_of_single(uint64_t single)
{
	uint32_t bits = (uint32_t)single;
	float value;

	memcpy(&value, &bits, sizeof value);
	return bits_of_double(value);
}

/* Codes c0 to df, all but those that are refused: what they are and how many bytes of number follow. */
static const struct { unsigned char kind, width; } coded[0x20] = {
	[0x00] = { PRODD_KIND_NIL, 0 },
	[0x02] = { PRODD_KIND_BOOL, 0 }, [0x03] = { PRODD_KIND_BOOL, 0 },
	[0x04] = { PRODD_KIND_BIN, 1 }, [0x05] = { PRODD_KIND_BIN, 2 }, [0x06] = { PRODD_KIND_BIN, 4 },
	[0x0a] = { PRODD_KIND_FLOAT, 4 }, [0x0b] = { PRODD_KIND_FLOAT, 8 },
	[0x0c] = { PRODD_KIND_INT, 1 }, [0x0d] = { PRODD_KIND_INT, 2 },
	[0x0e] = { PRODD_KIND_INT, 4 }, [0x0f] = { PRODD_KIND_INT, 8 },
	[0x10] = { PRODD_KIND_INT, 1 }, [0x11] = { PRODD_KIND_INT, 2 },
	[0x12] = { PRODD_KIND_INT, 4 }, [0x13] = { PRODD_KIND_INT, 8 },
	[0x19] = { PRODD_KIND_STR, 1 }, [0x1a] = { PRODD_KIND_STR, 2 }, [0x1b] = { PRODD_KIND_STR, 4 },
	[0x1c] = { PRODD_KIND_ARRAY, 2 }, [0x1d] = { PRODD_KIND_ARRAY, 4 },
	[0x1e] = { PRODD_KIND_MAP, 2 }, [0x1f] = { PRODD_KIND_MAP, 4 },
};

#define NONE PRODD_SCALAR_NONE
#define TEXT(width) (PRODD_SCALAR_TEXT | (width))

const unsigned char prodd_scalar_widths[0x20] = {
	/* c0 */ 0, NONE, 0, 0, TEXT(1), TEXT(2), TEXT(4), NONE,
	/* c8 */ NONE, NONE, 4, 8, 1, 2, 4, 8,
	/* d0 */ 1, 2, 4, 8, NONE, NONE, NONE, NONE,
	/* d8 */ NONE, TEXT(1), TEXT(2), TEXT(4), NONE, NONE, NONE, NONE,
};

#undef NONE
#undef TEXT

void prodd_head_coded(const unsigned char *at, size_t left, struct prodd_head *ret)
{
	unsigned code = left ? at[0] - 0xc0u : 1;	/* c1 is never used */
	unsigned width = coded[code].width;
	uint64_t number;

	*ret = (struct prodd_head){ .kind = (enum prodd_kind)coded[code].kind, .size = 1 + width };
	if (ret->size > left) {
		*ret = (struct prodd_head){ .kind = PRODD_KIND_END };
		return;
	}
	number = big_endian(at + 1, width);
	switch (ret->kind) {
	case PRODD_KIND_BOOL:
		ret->bits = at[0] == 0xc3;
		break;
	case PRODD_KIND_INT:
		ret->bits = code >= 0x10 ? sign_extended(number, width) : number;
		ret->negative = code >= 0x10 && ret->bits >> 63;
		break;
	case PRODD_KIND_FLOAT:
		ret->bits = width == 4 ? bits_of_single(number) : number;
		break;
	default:
		ret->length = (uint32_t)number;
	}
}
