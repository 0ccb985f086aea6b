# SPDX-License-Identifier: GPL-2.0-only
#
# For people. What is built how stands in Kbuild and in the Kbuild of each layer;
# this file copies the sources to build/KERNEL and builds there, so that several
# kernels live side by side and the tree stays clean.

KERNEL  ?= stock-6.12
BUSTED  ?=
DESTDIR ?=
PREFIX  ?= /usr/local

# KERNEL=host: the running kernel's headers, the product only; what `install` takes.
BUILD   := build/$(KERNEL)$(if $(BUSTED),+$(BUSTED))
INCDIR   = $(DESTDIR)$(PREFIX)/include/xsync-modules

.DEFAULT_GOAL := help
.PHONY: help deps modules tools demo check soak lint install install-headers shell clean

help:
	@sed 's/^	//' scripts/help

deps:
	@scripts/deps

modules:
	@scripts/build-modules $(KERNEL) $(BUSTED)

tools:
	@$(MAKE) -s -C samples/pidtrace command O=$(CURDIR)/build/tools

demo: deps
	@tests/demo/run

check: deps
	@tests/check $(if $(ONLY),--only '$(ONLY)')

soak: deps
	@tests/check --soak $(if $(ONLY),--only '$(ONLY)')

lint:
	@scripts/lint

shell:
	@tests/vm/run --kernel $(KERNEL) --modules --shell

install: KERNEL := host
install: BUILD := build/host
install:
	@scripts/build-modules host
	@$(MAKE) -s -C /lib/modules/$$(uname -r)/build M=$(CURDIR)/build/host \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
	@$(MAKE) -s install-headers KERNEL=host

# A module that uses ours is built with -I$(INCDIR) and
# KBUILD_EXTRA_SYMBOLS=$(INCDIR)/RELEASE/Module.symvers
install-headers:
	@scripts/build-modules $(KERNEL) $(BUSTED)
	@scripts/install-headers $(BUILD) $(INCDIR)

clean:
	@rm -rf build
