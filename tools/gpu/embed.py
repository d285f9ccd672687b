#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""usage: embed.py PROGRAM.elf NAME >HEADER

Turns a linked GPU program into a C header: the image as an array of words and
the offset of each entry in it. Refuses one that would have to be relocated, or
that holds what an engine cannot run.
"""

import struct
import sys

EM_RISCV = 243
SHT_PROGBITS, SHT_RELA, SHT_NOBITS, SHT_DYNSYM = 1, 4, 8, 11
SHF_ALLOC, SHF_EXECINSTR = 2, 4
STT_FUNC = 2
IMAGE = ('.text', '.rodata', '.data', '.bss')


class Section:
    """One section header, and the bytes that it stands for."""

    def __init__(self, elf, offset):
        (self.name_at, self.type, self.flags, self.addr, self.offset, self.size,
         self.link) = struct.unpack_from('<IIQQQQI', elf, offset)
        self.bytes = b'' if self.type == SHT_NOBITS else \
            elf[self.offset:self.offset + self.size]
        self.name = ''


def string(table, at):
    return table[at:table.index(b'\0', at)].decode()


def sections(elf):
    if elf[:5] != b'\x7fELF\x02' or struct.unpack_from('<H', elf, 18)[0] != EM_RISCV:
        sys.exit('embed.py: not a 64-bit RISC-V program')
    start, = struct.unpack_from('<Q', elf, 40)
    size, count, names = struct.unpack_from('<HHH', elf, 58)
    found = [Section(elf, start + i * size) for i in range(count)]
    for section in found:
        section.name = string(found[names].bytes, section.name_at)
    return found


def check(found):
    for section in found:
        if section.type == SHT_RELA and section.size:
            sys.exit('embed.py: relocations are left in ' + section.name)
        if section.flags & SHF_EXECINSTR:
            for i in range(0, len(section.bytes), 4):
                if section.bytes[i] & 3 != 3:
                    sys.exit('embed.py: compressed instruction at %#x' % i)


def image(found):
    parts = [s for s in found if s.name in IMAGE and s.size]
    out = bytearray(max(s.addr + s.size for s in parts))
    for section in parts:
        out[section.addr:section.addr + len(section.bytes)] = section.bytes
    return bytes(out) + b'\0' * (-len(out) % 16)


def entries(found):
    for section in found:
        if section.type != SHT_DYNSYM:
            continue
        for i in range(24, section.size, 24):
            name, info, _, _, value = struct.unpack_from('<IBBHQ', section.bytes, i)
            if info & 15 == STT_FUNC:
                yield string(found[section.link].bytes, name), value


def header(name, data, symbols):
    upper = name.upper()
    words = struct.unpack('<%dI' % (len(data) // 4), data)
    yield '/* SPDX-License-Identifier: GPL-2.0 OR MIT */'
    yield '/* Made by tools/gpu/embed.py: a GPU program in RV64IMA. */'
    yield '#ifndef _%s_H_\n#define _%s_H_\n' % (upper, upper)
    for symbol, value in sorted(symbols, key=lambda s: s[1]):
        yield '#define %s_%s\t%#x' % (upper, symbol, value)
    yield '\nstatic const unsigned int %s_image[] = {' % name
    for i in range(0, len(words), 6):
        yield '\t' + ' '.join('0x%08x,' % w for w in words[i:i + 6])
    yield '};\n\n#endif'


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], 'rb') as f:
        found = sections(f.read())
    check(found)
    print('\n'.join(header(sys.argv[2], image(found), list(entries(found)))))


main()
