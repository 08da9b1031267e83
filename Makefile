# Endicott: build, install, set-up, tests. `make help` lists the targets.
# `make` alone needs a compiler and the libraries, nothing else, and installs nothing.

PREFIX   ?= /usr/local
DESTDIR  ?=
BUILD    ?= build
VARIANT  ?=
ifeq ($(origin CC),default)
CC       := gcc
endif

# --- what is built ------------------------------------------------------------------------------
SRC_DIRS := mem/base mem cpu cpu/event cpu/linkage cpu/jit cpu/insn cpu/bfp io io/image io/dasd io/tape io/unitrec io/net hyp hyp/config hyp/cp hyp/diag hyp/dispatch hyp/exit hyp/iucv hyp/net hyp/rdev hyp/segment hyp/snapshot hyp/spool ssi lgr cli cli/cluster cli/ipl cli/dasd cli/tn3270
SRCS     := $(sort $(foreach d,$(SRC_DIRS),$(wildcard $(d)/*.c)))
LIB_SRCS := $(filter-out cli/main.c,$(SRCS))
OBJ      := $(BUILD)/obj
LIB      := $(BUILD)/libendicott.a
PROGRAM  := $(BUILD)/endicott
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/*/*_test.c))

# --- libraries: required ones, then the optional ones that are there -----------------------------
PKG_CONFIG ?= pkg-config
PKGS       := libuv jansson zlib libcrypt
PKGS_OPT   := libedit openssl liblz4 slirp
PKGS_FOUND  = $(PKGS) $(foreach p,$(PKGS_OPT),$(shell $(PKG_CONFIG) --exists $(p) && echo $(p)))

# Evaluated once, and only when something is compiled (`make setup` may run before they exist).
once        = $(eval $(1) := $(2))$($(1))
# libbz2 of Debian 12 has no .pc file: it is there when a program with its header compiles.
BZIP2_FOUND = $(call once,BZIP2_FOUND,$(shell echo '#include <bzlib.h>' | $(CC) -E - >/dev/null 2>&1 && echo bzip2))
# Nor has libvdeplug.
VDEPLUG_FOUND = $(call once,VDEPLUG_FOUND,$(shell echo '#include <libvdeplug.h>' | $(CC) -E - >/dev/null 2>&1 && echo vdeplug))
PKG_CFLAGS  = $(call once,PKG_CFLAGS,$(shell $(PKG_CONFIG) --cflags $(PKGS_FOUND))\
	$(if $(BZIP2_FOUND),-DHAVE_BZIP2) $(if $(VDEPLUG_FOUND),-DHAVE_VDEPLUG)\
	$(foreach p,$(filter $(PKGS_OPT),$(PKGS_FOUND)),-DHAVE_$(shell echo $(p) | tr a-z- A-Z_)))
PKG_LIBS    = $(call once,PKG_LIBS,$(shell $(PKG_CONFIG) --libs $(PKGS_FOUND)) $(if $(BZIP2_FOUND),-lbz2)\
	$(if $(VDEPLUG_FOUND),-lvdeplug))
# What `endicott --version` tells of them.
comma      := ,
PKGS_TOLD   = $(foreach p,$(PKGS_FOUND),$(p) $(shell $(PKG_CONFIG) --modversion $(p))$(comma))
PKGS_MISSED = $(foreach p,$(filter-out $(PKGS_FOUND),$(PKGS_OPT)),$(p)$(comma))
CFLAGS.cli/main.c = -DBUILT_WITH='"$(strip $(PKGS_TOLD))"' -DBUILT_WITHOUT='"$(strip $(PKGS_MISSED))"'
CHECK_CFLAGS = $(call once,CHECK_CFLAGS,$(shell $(PKG_CONFIG) --cflags check))
CHECK_LIBS  = $(call once,CHECK_LIBS,$(shell $(PKG_CONFIG) --libs check) -lquadmath)

# --- flags --------------------------------------------------------------------------------------
OPT      ?= -O2
WARN     := -Wall -Wextra -Wshadow -Werror
CODEGEN  := -fno-strict-aliasing -fno-plt -fno-pie
STD      := -std=gnu17 -D_GNU_SOURCE -pthread -I.
CFLAGS   ?=
LDFLAGS  ?=
LDLIBS    = $(PKG_LIBS) -lm
# Unit tests are many small programs with the whole library: what takes the time is to optimise and to link each.
TEST_OPT ?= -O1
TEST_LD   = $(call once,TEST_LD,$(if $(findstring -fuse-ld,$(LDFLAGS)),,\
	$(firstword $(foreach l,lld gold,$(if $(shell command -v ld.$(l)),-fuse-ld=$(l))))))
# Nor do they need what a debugger reads, a third of compiling and half of linking each; `make unit TEST_DEBUG=-g` for one.
TEST_DEBUG ?= $(if $(VARIANT),,-g0 -Wl,--strip-debug)

ifeq ($(VARIANT),asan)
OPT      := -O1
EXTRA    := -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	    -fno-omit-frame-pointer
endif
# ThreadSanitizer knows no fences, and gcc warns of each; those here order guest storage only.
ifeq ($(VARIANT),tsan)
OPT      := -O1
EXTRA    := -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan \
	    -Wno-maybe-uninitialized
endif
ifeq ($(VARIANT),fuzz)
OPT      := -O1
EXTRA    := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
	    -fno-omit-frame-pointer
endif
EXTRA    ?=

ALL_CFLAGS = $(STD) $(OPT) -g $(WARN) $(CODEGEN) $(EXTRA) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -no-pie -pthread $(EXTRA) $(LDFLAGS)

# The interpreter jumps from instruction to instruction by sibling calls, which gcc makes from -O2 on.
ifneq ($(filter -O0 -O1 -Og,$(OPT) $(CFLAGS)),)
EXTRA    += -DENDICOTT_LOOP_DISPATCH
endif

# Builds for tests look at the order in which locks are taken (mem/base/lock.h).
ifneq ($(VARIANT),)
EXTRA    += -DENDICOTT_LOCK_ORDER
endif

# Flags of one file go after all others. COMPARE AND SWAP of 16 bytes is one host instruction.
ifneq ($(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)),)
CFLAGS.cpu/insn/insn_general_interlock.c := -mcx16
# The translator clears and copies small structures all the time, which `rep stos` begins slowly.
ifneq ($(findstring gcc,$(CC)),)
$(foreach f,$(wildcard cpu/jit/*.c),$(eval CFLAGS.$(f) += \
  -mmemset-strategy=unrolled_loop:256:noalign$(comma)libcall:-1:noalign \
  -mmemcpy-strategy=unrolled_loop:256:noalign$(comma)libcall:-1:noalign))
endif
endif
# Instruction bodies touch their own CPU and guest storage, where guests race by design.
ifeq ($(VARIANT),tsan)
$(foreach f,$(wildcard cpu/insn/*.c cpu/bfp/*.c),$(eval CFLAGS.$(f) += -fno-sanitize=thread -O2))
endif

# --- build --------------------------------------------------------------------------------------
.PHONY: all help install install-man setup setup-build setup-guest pkgs-there guest demo check lint asan tsan \
	bench bench-lgr clean unit format docs fuzz fuzz-isa fuzz-decode litmus sim model
.DELETE_ON_ERROR:

all: $(PROGRAM)

$(PROGRAM): $(OBJ)/cli/main.o $(LIB)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@.new $^ $(LDLIBS) && mv -f $@.new $@

$(LIB): $(LIB_SRCS:%.c=$(OBJ)/%.o) $(BUILD)/lib.list
	@echo "  AR    $@"
	@rm -f $@ && ar rcs $@ $(filter %.o,$^)

# Changes when a source file comes or goes, so that the archive never keeps a dead member.
$(BUILD)/lib.list: FORCE
	@mkdir -p $(@D)
	@echo '$(LIB_SRCS)' | cmp -s - $@ || echo '$(LIB_SRCS)' > $@
FORCE:

$(OBJ)/%.o: %.c $(BUILD)/flags | pkgs-there
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) $(CFLAGS.$<) -MMD -MP -c -o $@ $<

# Changes when the flags do; every object depends on it.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(STD) $(OPT) $(WARN) $(CODEGEN) $(EXTRA) $(CFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(STD) $(OPT) $(WARN) $(CODEGEN) $(EXTRA) $(CFLAGS)' > $@

pkgs-there:
	@$(PKG_CONFIG) --exists --print-errors $(PKGS) || { \
	  echo "Libraries are missing; 'make setup' installs them (Debian)." >&2; exit 1; }

unit: $(UNIT)

# What several tests share is compiled once, and kept.
TEST_LIB := $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/lib/*.c))
.SECONDARY: $(TEST_LIB)

$(OBJ)/tests/lib/%.o: tests/lib/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CFLAGS) $(CHECK_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/tests/unit/%: tests/unit/%.c $(TEST_LIB) $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  TEST  $<"
	@$(CC) $(ALL_CFLAGS) $(CHECK_CFLAGS) $(TEST_OPT) $(TEST_DEBUG) -MMD -MP -MF $@.d $(ALL_LDFLAGS) $(TEST_LD) -o $@ $< \
	  $(TEST_LIB) $(LIB) \
	  $(CHECK_LIBS) $(LDLIBS)

install: all install-man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/endicott
	install -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/endicott
	@if [ -d docs/samples ]; then \
	  cp -R docs/samples $(DESTDIR)$(PREFIX)/share/endicott/; fi

# From what --help tells, and docs/man/*.text.
install-man: $(if $(wildcard $(PROGRAM)),,all)
	@docs/man/generate $(abspath $(PROGRAM)) $(DESTDIR)$(PREFIX)/share/man/man1

# --- set-up, guest, tests -----------------------------------------------------------------------
# Builds for the tests use every processor, unless -j says something else.
SUBMAKE = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

setup:
	@tests/lib/setup.sh build guest test lint

setup-build:
	@tests/lib/setup.sh build

setup-guest:
	@tests/lib/setup.sh build guest

guest: setup-guest
	@tests/guest/fetch.sh
	@tests/guest/mkinitramfs.sh

demo: setup-guest
	@+$(SUBMAKE) all guest
	@tests/demo/run --end-with-parent

check: setup
	@+$(SUBMAKE) all guest unit
	@tests/run

lint:
	@tests/lib/setup.sh build test lint
	@tests/run --all-lint lint

asan: setup
	@+$(SUBMAKE) guest
	@+$(SUBMAKE) BUILD=build-asan VARIANT=asan all unit
	@tests/sanitize asan

tsan: setup
	@+$(SUBMAKE) guest
	@+$(SUBMAKE) BUILD=build-tsan VARIANT=tsan all unit
	@tests/sanitize tsan

# Random instructions here and on QEMU: N images from SEED on, each step once, then N of them with steps repeated until
# they are translated; reduced cases go to build/tests/fuzz/found.
N ?= 10000
fuzz-isa: setup
	@+$(SUBMAKE) all
	@tests/fuzz/fuzz.py run --images $(N) $(if $(SEED),--seed $(SEED)) --progress --verbose \
	  --save $(BUILD)/tests/fuzz/found
	@tests/fuzz/fuzz.py run --engine jit-first --qemu --images $(N) $(if $(SEED),--seed $(SEED)) --progress \
	  --save $(BUILD)/tests/fuzz/found

# Arbitrary bytes in arbitrary states under ASan and UBSan (clang's libFuzzer), for SECONDS of processor time.
FUZZ_SRCS := $(wildcard mem/base/*.c mem/*.c cpu/*.c cpu/event/*.c cpu/linkage/*.c cpu/jit/*.c cpu/insn/*.c \
	     cpu/bfp/*.c) \
	     tests/lib/decode_exec.c tests/fuzz/decode_exec.c
fuzz-decode: setup
	@+$(SUBMAKE) BUILD=build-fuzz VARIANT=fuzz CC=clang build-fuzz/fuzz-decode
	@tests/fuzz/decode.sh $(if $(filter command,$(firstword $(origin SECONDS))),$(SECONDS),1800)

build-fuzz/fuzz-decode: $(FUZZ_SRCS:%.c=$(OBJ)/%.o)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS) -lquadmath

# Arbitrary bytes for what takes them from guests, files and peers: each target SECONDS of processor time.
FUZZ_TARGETS := channel config control cp diag8 image osa tape terminal uplink
FUZZ_SRCS.channel := $(wildcard mem/base/*.c mem/*.c io/*.c io/net/ctc*.c io/unitrec/*.c) \
	     tests/lib/channel_exec.c tests/fuzz/channel_exec.c
FUZZ_SRCS.config := $(LIB_SRCS) tests/fuzz/config_exec.c
FUZZ_SRCS.control := $(LIB_SRCS) tests/lib/member_world.c tests/lib/control_exec.c tests/fuzz/control_exec.c
FUZZ_SRCS.cp := $(LIB_SRCS) tests/lib/member_world.c tests/lib/cp_exec.c tests/fuzz/cp_exec.c
FUZZ_SRCS.diag8 := $(LIB_SRCS) tests/lib/diag8_exec.c tests/fuzz/diag8_exec.c
FUZZ_SRCS.image := $(wildcard mem/base/*.c io/image/*.c mem/area.c mem/storage*.c) io/ebcdic.c tests/fuzz/image_exec.c
FUZZ_SRCS.osa := $(wildcard mem/base/*.c mem/*.c io/*.c io/unitrec/*.c) io/net/qdio.c $(wildcard io/net/lan*.c io/net/osa*.c) io/net/iqd.c \
	     tests/lib/osa_exec.c tests/fuzz/osa_exec.c
FUZZ_TARGETS += snapshot
FUZZ_SRCS.snapshot := $(wildcard mem/base/*.c mem/storage*.c hyp/snapshot/snapshot_[hrw]*.c) tests/lib/snapshot_exec.c tests/fuzz/snapshot_exec.c
FUZZ_TARGETS += ssi
FUZZ_SRCS.ssi := $(wildcard mem/base/*.c) $(filter-out $(wildcard ssi/ssi_uv*.c),$(wildcard ssi/*.c)) tests/fuzz/ssi_exec.c
FUZZ_TARGETS += pdr
FUZZ_SRCS.pdr := $(wildcard mem/base/*.c) $(filter-out $(wildcard ssi/ssi_uv*.c),$(wildcard ssi/*.c)) $(wildcard tests/fuzz/pdr_*.c)
FUZZ_TARGETS += lgr
FUZZ_SRCS.lgr := $(wildcard mem/base/*.c mem/*.c) $(filter-out $(wildcard ssi/ssi_uv*.c),$(wildcard ssi/*.c)) \
	     $(shell grep -L '"hyp/\|lgr_cmd.h"' lgr/*.c) hyp/arch.c hyp/event.c io/ebcdic.c cpu/model.c tests/lib/lgr_world.c \
	     tests/lib/lgr_exec.c tests/fuzz/lgr_exec.c
FUZZ_SRCS.tape := $(wildcard mem/base/*.c) io/tape/tape_file.c tests/fuzz/tape_exec.c
FUZZ_SRCS.terminal := $(wildcard mem/base/*.c io/screen3270*.c) io/ebcdic.c cli/tn3270/tn3270_telnet.c cli/tn3270/tn3270_e.c \
	     cli/tn3270/tn3270_stream.c tests/lib/terminal_exec.c tests/fuzz/terminal_exec.c
FUZZ_SRCS.uplink := $(wildcard mem/base/*.c) $(wildcard io/net/lan*.c io/net/uplink*.c io/net/socket*.c) io/net/tap.c io/net/vde.c \
	     io/net/slirp.c tests/lib/uplink_exec.c tests/fuzz/uplink_exec.c
fuzz: $(FUZZ_TARGETS:%=fuzz-%)

$(FUZZ_TARGETS:%=fuzz-%): fuzz-%: setup
	@+$(SUBMAKE) all
	@+$(SUBMAKE) BUILD=build-fuzz VARIANT=fuzz CC=clang build-fuzz/fuzz-$*
	@tests/fuzz/target.sh $* $(if $(filter command,$(firstword $(origin SECONDS))),$(SECONDS),600)

$(foreach t,$(FUZZ_TARGETS),$(eval build-fuzz/fuzz-$(t): $(FUZZ_SRCS.$(t):%.c=$(OBJ)/%.o)))
$(FUZZ_TARGETS:%=build-fuzz/fuzz-%):
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# The same without libFuzzer, for the inputs that are kept: scenario/fuzz_replay.
FUZZ_REPLAYS := $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)
unit: $(FUZZ_REPLAYS)
$(foreach t,$(FUZZ_TARGETS),$(eval $(BUILD)/tests/fuzz/$(t): $(FUZZ_SRCS.$(t):%.c=$(OBJ)/%.o)))
$(FUZZ_REPLAYS): $(OBJ)/tests/fuzz/replay.o
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS)

# Order of storage references between four CPUs, 10 million rounds.
litmus: setup
	@+$(SUBMAKE) all
	@tests/litmus

# N simulated clusters (20,000) from SEED on, and N with relocations; WHAT=ssi or lgr, VERBOSE=1 with N=1 shows one.
sim: setup
	@+$(SUBMAKE) $(BUILD)/tests/unit/ssi/ssi_sim_test $(BUILD)/tests/unit/lgr/lgr_sim_test
	@WHAT=$(WHAT) N=$(if $(filter command,$(firstword $(origin N))),$(N)) SEED=$(SEED) VERBOSE=$(VERBOSE) tests/sim

# What takes too long for `make check`: tests/soak/NAME.sh, `_` for `-`.
SOAKS := $(patsubst tests/soak/%.sh,soak-%,$(subst _,-,$(wildcard tests/soak/*.sh)))
.PHONY: soak $(SOAKS)
soak: $(SOAKS)
$(SOAKS): soak-%: setup
	@+$(SUBMAKE) all guest
	@tests/run soak/$(subst -,_,$*)

# The uses that a cluster is for, each a script that ends with a table: tests/scenarios/NAME.sh.
.PHONY: scenarios
scenarios: setup
	@+$(SUBMAKE) all guest
	@tests/run scenarios

# Medians of RUNS runs of everything.
RUNS ?= 5
LGR_RUNS ?= 50
bench: setup
	@+$(SUBMAKE) all guest $(BUILD)/tests/bench/ssi_claims
	@tests/bench/run --runs $(RUNS)
	@tests/bench/mips
	@tests/bench/display
	@tests/bench/disk --runs $(RUNS)
	@tests/bench/net --runs $(RUNS)
	@tests/bench/ssi --runs $(RUNS)
	@tests/bench/snapshot --runs $(RUNS)

bench-lgr: setup
	@+$(SUBMAKE) all guest $(BUILD)/tests/bench/lgr_pages
	@tests/bench/lgr --runs $(LGR_RUNS)
	@$(BUILD)/tests/bench/lgr_pages

$(BUILD)/tests/bench/%: tests/bench/%.c $(LIB) $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  BENCH $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LDLIBS)

# Spin over the models of docs/models, and over their mutations, which it has to find.
model: setup
	@CC='$(CC)' tests/model

# Four members as on four hosts (network namespaces, root), one fault after the other for SECONDS; SEED repeats a run.
.PHONY: chaos
chaos: setup
	@+$(SUBMAKE) all
	@tests/chaos/run --seconds $(if $(filter command,$(firstword $(origin SECONDS))),$(SECONDS),600) $(if $(SEED),--seed $(SEED))

# All instruction tests while the machine is relocated every N instructions, N from 1 to 10,000 and one by chance.
.PHONY: reloc-every
reloc-every: setup
	@+$(SUBMAKE) all
	@every="$(or $(RELOC_EVERY),1 2 3 7 10 97 997 10000 $$(shuf -i 1-10000 -n 1))"; echo "reloc-every: RELOC_EVERY='$$every'"; \
	  ENDICOTT_MODES="$$(printf 'every%s ' $$every)" tests/run insn

# Every failure at every step of a relocation, on two members; ONLY is a regular expression of fault@STEP.
.PHONY: chaos-lgr
chaos-lgr: setup
	@+$(SUBMAKE) all
	@tests/chaos/relocate $(if $(ONLY),--only '$(ONLY)')

format:
	@tests/lint/format --fix

# Reference pages from the tables; tests/lint/docs tells when one is stale.
docs:
	@CC='$(CC)' tests/docs/generate

clean:
	rm -rf build/obj build/tests build/lib.list build/flags build/libendicott.a build/endicott \
	  build/log build-asan build-tsan build-fuzz

help:
	@echo "make            build $(PROGRAM)"
	@echo "make install    into PREFIX ($(PREFIX)), under DESTDIR"
	@echo "make setup      install what building and testing need (Debian; sudo when not root)"
	@echo "make demo       two members, a Linux guest, a live relocation"
	@echo "make check      every test but the slow lint; the last line is N passed, N failed"
	@echo "make lint       every lint      make asan, make tsan   tests under sanitizers"
	@echo "make format     reformat the C files     make clean     build products, not the guest"
	@echo "make fuzz-isa   N random images (10000) from SEED on, compared with QEMU"
	@echo "make fuzz-decode   arbitrary bytes under sanitizers, SECONDS (1800) of processor time"
	@echo "make fuzz       channel programs, disk and tape files, 3270 streams, networks likewise, SECONDS (600) of processor time each target"
	@echo "make soak       what takes long, one after the other:$(SOAKS:%= %)"
	@echo "make sim        N simulated clusters (20000) from SEED on, and N with relocations; checks after every event"
	@echo "make litmus     order of storage references between CPUs, 10 million rounds"
	@echo "make model      Spin over docs/models: all states of joining, claims, failures and the hand-over"
	@echo "make docs       reference pages from the tables"
	@echo "make scenarios  what a cluster is used for (E1 to E9), each with a closing table"
	@echo "make bench      figures next to QEMU and Hercules, medians of RUNS (5)"
	@echo "make bench-lgr  how long relocated guests stand still, beside QEMU; LGR_RUNS (50) each"
	@echo "make guest      kernel, initramfs"
	@echo "make reloc-every  instruction tests while the machine is relocated every N instructions, RELOC_EVERY='1 97'"
	@echo "make chaos-lgr  every failure at every step of a relocation, on two members; ONLY='kill.*@S_PASS'"
	@echo "make chaos      four members in network namespaces, cut, killed and stopped for SECONDS (600); root"

-include $(SRCS:%.c=$(OBJ)/%.d) $(TEST_LIB:.o=.d) $(addsuffix .d,$(UNIT)) $(wildcard $(OBJ)/tests/fuzz/*.d)
