/* An interpreter of RV32EM as one writes a first one: fetch, decode, one switch, an array of registers, a
   check on every access to memory. It measures what interpretation costs: the instructions that this program
   retires, divided by the number that it says it has interpreted. */
#include "bench.h"

/* ---- The guest -----------------------------------------------------------------------------------------

   gcc compiles it with the rest, but into a section of its own, which `main` copies to address 0 of the
   guest's memory. It can run there because it names no variable and calls nothing outside the section. */

#ifndef DEFN
#define DEFN 4 /* repetitions */
#endif
#define GUEST __attribute__((noinline, section("guest")))

enum { LIMIT = 2000 /* the guest finds the primes below this */ };

/* Writes the primes to `primes` and returns how many there are. */
GUEST static u32 find_primes(u8 *composite, u32 *primes) {
    u32 count = 0;
    for (u32 i = 0; i < LIMIT; i++) {
        composite[i] = 0;
        KEEP_LOOP;
    }
    for (u32 i = 2; i < LIMIT; i++) {
        if (composite[i]) continue;
        primes[count++] = i;
        for (u32 j = i * i; j < LIMIT; j += i) composite[j] = 1;
    }
    return count;
}

GUEST static void fill_crc_table(u32 *table) {
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (u32 k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
        table[i] = c;
    }
}

GUEST static u32 crc_of(const u32 *table, u32 crc, const u8 *bytes, u32 length) {
    for (u32 i = 0; i < length; i++) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
    return crc;
}

/* Starts with the address of free memory and the number of repetitions in its arguments' registers, and ends
   with its result in the first of them. */
GUEST static void guest_main(u8 *memory, u32 repetitions) {
    u32 *table = (u32 *)memory, *primes = table + 256;
    u8 *composite = (u8 *)(primes + LIMIT);
    fill_crc_table(table);
    u32 crc = ~0u;
    for (u32 r = 0; r < repetitions; r++) {
        u32 count = find_primes(composite, primes);
        crc = crc_of(table, crc ^ r, (const u8 *)primes, count * sizeof *primes);
    }
    register u32 a0 __asm__("a0") = ~crc;
    __asm__ volatile("ecall" : : "r"(a0));
    __builtin_unreachable();
}

extern const u8 __start_guest[], __stop_guest[]; /* the section's ends, defined by the linker */

/* ---- The interpreter -------------------------------------------------------------------------------- */

enum { RAM_SIZE = 1 << 16, FREE_MEMORY = 1 << 12 };
enum { SP = 2, A0 = 10, A1 = 11 };
enum stop { HALTED, ILLEGAL_INSTRUCTION, BAD_ADDRESS };

struct cpu {
    u32 x[16], pc, retired;
};

static u8 ram[RAM_SIZE] __attribute__((aligned(4)));

/* The guest may write memory as words and read it as bytes. */
typedef u16 __attribute__((may_alias)) half_in_ram;
typedef u32 __attribute__((may_alias)) word_in_ram;

static int is_valid(u32 address, u32 size) { return address <= RAM_SIZE - size && address % size == 0; }

/* `alternate` makes an addition a subtraction and a right shift arithmetic. */
static u32 compute(u32 funct3, int alternate, u32 a, u32 b) {
    switch (funct3) {
    case 0: return alternate ? a - b : a + b;
    case 1: return a << (b & 31);
    case 2: return (i32)a < (i32)b;
    case 3: return a < b;
    case 4: return a ^ b;
    case 5: return alternate ? (u32)((i32)a >> (b & 31)) : a >> (b & 31);
    case 6: return a | b;
    default: return a & b;
    }
}

/* Division has a result in every case: by zero, and of the smallest number by -1. */
static u32 multiply_or_divide(u32 funct3, u32 a, u32 b) {
    int overflows = a == 0x80000000 && b == ~0u;
    switch (funct3) {
    case 0: return a * b;
    case 1: return (i64)(i32)a * (i32)b >> 32;
    case 2: return (i64)(i32)a * b >> 32;
    case 3: return (u64)a * b >> 32;
    case 4: return b == 0 ? ~0u : overflows ? a : (u32)((i32)a / (i32)b);
    case 5: return b == 0 ? ~0u : a / b;
    case 6: return b == 0 ? a : overflows ? 0 : (u32)((i32)a % (i32)b);
    default: return b == 0 ? a : a % b;
    }
}

/* Bits 6..2 of an instruction, by their names in the manual; bits 1..0 are ones. */
enum opcode {
    LOAD = 0, MISC_MEM = 3, OP_IMM = 4, AUIPC = 5, STORE = 8, OP = 12, LUI = 13, BRANCH = 24, JALR = 25,
    JAL = 27, SYSTEM = 28
};

/* The immediates, by format. Bit 31 is the sign of each, and a right shift of an i32 copies it. */
static i32 immediate_i(u32 word) { return (i32)word >> 20; }
static i32 immediate_s(u32 word) { return (immediate_i(word) & ~31) | (word >> 7 & 31); }
static i32 immediate_b(u32 word) { return (immediate_s(word) & ~0x801) | (word << 4 & 0x800); }
static i32 immediate_u(u32 word) { return word & 0xfffff000; }
static i32 immediate_j(u32 word) {
    return (immediate_i(word) & ~0xff801) | (word & 0xff000) | (word >> 9 & 0x800);
}

/* The highest bit of each register's number: RV32E has no register above x15. */
enum { HIGH_RD = 1 << 11, HIGH_RS1 = 1 << 19, HIGH_RS2 = 1 << 24 };
#define LEGAL_IF(condition) \
    if (!(condition)) return ILLEGAL_INSTRUCTION
#define VALID(address, size) \
    if (!is_valid(address, size)) return BAD_ADDRESS

/* Interprets until something stops the guest. */
NOINLINE static enum stop run(struct cpu *cpu) {
    u32 *x = cpu->x;
    for (;;) {
        u32 pc = cpu->pc, next = pc + 4;
        VALID(pc, 4);
        u32 word = *(word_in_ram *)(ram + pc);
        LEGAL_IF((word & 3) == 3);

        u32 funct3 = word >> 12 & 7, funct7 = word >> 25;
        u32 *rd = &x[word >> 7 & 15];
        u32 rs1 = x[word >> 15 & 15], rs2 = x[word >> 20 & 15];

        switch ((enum opcode)(word >> 2 & 31)) {
        case LUI:
            LEGAL_IF(!(word & HIGH_RD));
            *rd = immediate_u(word);
            break;

        case AUIPC:
            LEGAL_IF(!(word & HIGH_RD));
            *rd = pc + immediate_u(word);
            break;

        case JAL:
            LEGAL_IF(!(word & HIGH_RD));
            *rd = next;
            next = pc + immediate_j(word);
            break;

        case JALR:
            LEGAL_IF(funct3 == 0 && !(word & (HIGH_RD | HIGH_RS1)));
            *rd = next;
            next = (rs1 + immediate_i(word)) & ~1u;
            break;

        case BRANCH: {
            int taken;
            LEGAL_IF(!(word & (HIGH_RS1 | HIGH_RS2)));
            switch (funct3) {
            case 0: taken = rs1 == rs2; break;
            case 1: taken = rs1 != rs2; break;
            case 4: taken = (i32)rs1 < (i32)rs2; break;
            case 5: taken = (i32)rs1 >= (i32)rs2; break;
            case 6: taken = rs1 < rs2; break;
            case 7: taken = rs1 >= rs2; break;
            default: return ILLEGAL_INSTRUCTION;
            }
            if (taken) next = pc + immediate_b(word);
            break;
        }

        case LOAD: {
            u32 address = rs1 + immediate_i(word);
            LEGAL_IF(!(word & (HIGH_RD | HIGH_RS1)));
            switch (funct3) {
            case 0: VALID(address, 1); *rd = (signed char)ram[address]; break;
            case 1: VALID(address, 2); *rd = (short)*(half_in_ram *)(ram + address); break;
            case 2: VALID(address, 4); *rd = *(word_in_ram *)(ram + address); break;
            case 4: VALID(address, 1); *rd = ram[address]; break;
            case 5: VALID(address, 2); *rd = *(half_in_ram *)(ram + address); break;
            default: return ILLEGAL_INSTRUCTION;
            }
            break;
        }

        case STORE: {
            u32 address = rs1 + immediate_s(word);
            LEGAL_IF(!(word & (HIGH_RS1 | HIGH_RS2)));
            switch (funct3) {
            case 0: VALID(address, 1); ram[address] = rs2; break;
            case 1: VALID(address, 2); *(half_in_ram *)(ram + address) = rs2; break;
            case 2: VALID(address, 4); *(word_in_ram *)(ram + address) = rs2; break;
            default: return ILLEGAL_INSTRUCTION;
            }
            break;
        }

        case OP_IMM: { /* a shift has its funct7 above the amount, inside the immediate */
            int is_shift = funct3 == 1 || funct3 == 5, alternate = funct3 == 5 && funct7 == 0x20;
            LEGAL_IF(!(word & (HIGH_RD | HIGH_RS1)));
            LEGAL_IF(!is_shift || alternate || funct7 == 0);
            *rd = compute(funct3, alternate, rs1, immediate_i(word));
            break;
        }

        case OP:
            LEGAL_IF(!(word & (HIGH_RD | HIGH_RS1 | HIGH_RS2)));
            if (funct7 == 1) {
                *rd = multiply_or_divide(funct3, rs1, rs2);
            } else {
                int alternate = funct7 == 0x20 && (funct3 == 0 || funct3 == 5);
                LEGAL_IF(alternate || funct7 == 0);
                *rd = compute(funct3, alternate, rs1, rs2);
            }
            break;

        case MISC_MEM: /* fences: nobody else sees this memory, and no copy of an instruction is kept */
            LEGAL_IF(funct3 <= 1);
            break;

        case SYSTEM:
            LEGAL_IF(word == 0x00000073); /* ecall, with which the guest halts */
            return HALTED;

        default: return ILLEGAL_INSTRUCTION;
        }

        x[0] = 0; /* cheaper than asking, of every instruction, whether it writes x0 */
        cpu->pc = next;
        cpu->retired++;
    }
}

static void print_decimal(u32 number) {
    if (number >= 10) print_decimal(number / 10);
    putchar('0' + number % 10);
}

int main(void) {
    static const char *const reasons[] = {
        [ILLEGAL_INSTRUCTION] = "The guest stopped at an illegal instruction.",
        [BAD_ADDRESS] = "The guest stopped at a bad address.",
    };
    struct cpu cpu = {.pc = (u32)guest_main - (u32)__start_guest};
    cpu.x[SP] = RAM_SIZE;
    cpu.x[A0] = FREE_MEMORY;
    cpu.x[A1] = DEFN;
    memcpy(ram, __start_guest, __stop_guest - __start_guest);

    enum stop stop = run(&cpu);
    if (stop != HALTED) {
        puts(reasons[stop]);
        return 1;
    }
    report(cpu.x[A0]);
    print_decimal(cpu.retired);
    puts(" instructions interpreted");
    return 0;
}
