# SPDX-License-Identifier: GPL-2.0-only
#
# For people. What is built how stands in Kbuild and in the Kbuild of each layer;
# this file copies the sources to build/KERNEL and builds there, so that several
# kernels live side by side and the tree stays clean.

KERNEL  ?= stock-6.12
BUSTED  ?=
DESTDIR ?=
PREFIX  ?= /usr/local

BUILD   := build/$(KERNEL)$(if $(BUSTED),+$(BUSTED))
INCDIR   = $(DESTDIR)$(PREFIX)/include/xsync-modules

.DEFAULT_GOAL := help
.PHONY: help deps modules tools demo check soak bench lint install install-headers shell clean

help:
	@sed 's/^	//' scripts/help

deps:
	@scripts/deps

modules:
	@scripts/build-modules $(KERNEL) $(BUSTED)

# Two guests may be started at once.
tools:
	@mkdir -p build
	@flock build/tools.lock $(MAKE) -s -C samples/pidtrace command O=$(CURDIR)/build/tools

demo: deps
	@tests/demo/run

check: deps
	@tests/check $(if $(ONLY),--only '$(ONLY)')

soak: deps
	@tests/check --soak $(if $(ONLY),--only '$(ONLY)')

bench: deps
	@tests/bench/run $(if $(QUICK),--quick) $(if $(DOC),--doc) $(if $(ONLY),--only '$(ONLY)') $(KERNELS)

lint:
	@scripts/lint

shell:
	@tests/vm/run --kernel $(KERNEL) --modules --shell

# For the running kernel, unless KERNEL is given.
install: KERNEL := host
install:
	@scripts/build-modules --product $(KERNEL)
	@scripts/install-modules build/$(KERNEL).product "$(DESTDIR)"
	@scripts/install-headers build/$(KERNEL).product $(INCDIR)

# A module that uses ours is built with -I$(INCDIR) and
# KBUILD_EXTRA_SYMBOLS=$(INCDIR)/RELEASE/Module.symvers
install-headers:
	@scripts/build-modules $(KERNEL) $(BUSTED)
	@scripts/install-headers $(BUILD) $(INCDIR)

clean:
	@rm -rf build
