# All that a developer does by hand, and .ci/run by itself. "make" lists the targets.

SHELL := bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build test test-page man soak fuzz corpus demo lint format clean bench bench-quick bench-counts \
  install uninstall deb test-package

# What Package.swift links (-dev), what the tests run (broker, its clients, certificates), and pkg-config,
# by which SwiftPM finds the libraries.
PACKAGES := libmosquitto-dev libsimdjson-dev libxxhash-dev mosquitto mosquitto-clients openssl pkg-config

# Swift's own libraries are linked in, so that the program runs where no Swift is installed. (The linker
# then warns of a function in Foundation that nothing here calls; "build" leaves that line out.)
RELEASE := -c release --static-swift-stdlib --product stepgate

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install the Debian packages that are missing
	@missing=; \
	for package in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' \
	    || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if ! command -v apt-get >/dev/null; then \
	  echo "make deps: there is no apt-get here; please install the equivalents of:$$missing" >&2; exit 1; \
	fi; \
	sudo=; \
	if [ "$$(id -u)" -ne 0 ]; then \
	  if ! command -v sudo >/dev/null; then \
	    echo "make deps: please install as root:$$missing" >&2; exit 1; \
	  fi; \
	  sudo=sudo; \
	fi; \
	echo "installing:$$missing"; \
	$$sudo apt-get -qq update \
	  && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends $$missing

build: deps ## build the program: .build/release/stepgate (the first time takes minutes)
	@swift build --quiet $(RELEASE) 2>&1 | sed '/the use of .mktemp. is dangerous/d'
	@echo "built .build/release/stepgate"

# Debian's prometheus has promtool, and starts a service: so it is unpacked, not installed.
PROMTOOL := .build/tools/usr/bin/promtool
$(PROMTOOL): | deps
	@mkdir -p .build/tools
	@cd .build/tools && download="apt-get -qq -o APT::Sandbox::User=root download prometheus" \
	  && { $$download 2>/dev/null || { $$([ "$$(id -u)" -eq 0 ] || echo sudo) apt-get -qq update && $$download; }; } \
	  && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb

test test-package: $(PROMTOOL)
test test-package: export PATH := $(CURDIR)/$(dir $(PROMTOOL)):$(PATH)

test: deps ## build and run all tests
	@swift build --quiet --build-tests
	@swift test --quiet --skip-build --disable-xctest 2>&1 | tee .build/test.log
	@Tests/Fuzz/fuzz.sh short | tee .build/fuzz.log
	@ran=$$(grep -o 'with [0-9]* tests in [0-9]* suites passed after [0-9]*' .build/test.log | tail -n 1) \
	  && fuzzed=$$(grep -c '^fuzz .* edges reached' .build/fuzz.log) \
	  && echo "make test: passed: $${ran#with } s, fuzzing of $$fuzzed targets"

# Passed on to "deps". (Chromium is large, and whoever changes no page needs none.)
test-page: PACKAGES += chromium python3

test-page: deps ## look at the status page in a headless Chromium; screenshots in .build/page
	@swift build --quiet --product stepgate
	@python3 Tests/Page/page.py "$$(swift build --show-bin-path)/stepgate"

man: build ## make the manual page and the shells' completions: .build/man
	@scripts/man.sh .build/release/stepgate .build/man

soak: deps ## simulate the gateway and its faults SEEDS=20000 times, from a random seed on
	@swift build --quiet --build-tests
	@# Not by "swift test", which holds back what the runs tell until they have ended.
	@STEPGATE_SIM_SEEDS=$(or $(SEEDS),20000) STEPGATE_SIM_FIRST=$$(date +%s%3N) \
	  "$$(swift build --show-bin-path)/stepgatePackageTests.xctest" \
	  --testing-library swift-testing --filter GatewaySimulationTests

fuzz: deps ## look for inputs that break something (TIME=60: seconds a target; TARGET=payload: one)
	@Tests/Fuzz/fuzz.sh run $(or $(TIME),60) $(TARGET)

corpus: deps ## put what fuzzing found since into the committed corpus, and make that small
	@Tests/Fuzz/fuzz.sh merge $(TARGET)

demo: build ## broker, gateway and simulated devices together, from readings to rows
	@scripts/demo.sh

lint: ## check the layout of all Swift files
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

format: ## put the layout of all Swift files right
	@swift format format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

clean: ## remove what was built
	@swift package clean
	@rm -rf .build/deb

# Passed on to "deps".
bench bench-quick bench-counts: PACKAGES += python3
bench bench-quick: PACKAGES += python3-venv gcc libc6-dev

bench: build ## measure every goal of docs/performance.md (25 minutes)
	@python3 Benchmarks/bench.py

bench-quick: build ## the same with small sizes (3 minutes)
	@python3 Benchmarks/bench.py --quick

bench-counts: build ## check allocations and instructions a record
	@python3 Benchmarks/bench.py --quick --strict --only counts

# Where "make install" puts things. DESTDIR stands before all of them, for packages.
PREFIX := /usr/local
SYSCONFDIR := /etc
UNITDIR := $(PREFIX)/lib/systemd/system
MANDIR := $(PREFIX)/share/man/man1
BASHDIR := $(PREFIX)/share/bash-completion/completions
ZSHDIR := $(PREFIX)/share/zsh/site-functions
FISHDIR := $(PREFIX)/share/fish/vendor_completions.d
DOCDIR := $(PREFIX)/share/doc/stepgate
CONFDIR := $(SYSCONFDIR)/stepgate
INSTALLED := $(PREFIX)/bin/stepgate $(UNITDIR)/stepgate.service $(PREFIX)/lib/sysusers.d/stepgate.conf \
  $(MANDIR)/stepgate.1.gz $(BASHDIR)/stepgate $(ZSHDIR)/_stepgate $(FISHDIR)/stepgate.fish

install: build man ## install into PREFIX=/usr/local (DESTDIR= for packages); keeps settings that are there
	@install -D -m 755 .build/release/stepgate "$(DESTDIR)$(PREFIX)/bin/stepgate"
	@sed 's,/usr/bin/stepgate,$(PREFIX)/bin/stepgate,; s,/etc/stepgate,$(CONFDIR),' systemd/stepgate.service \
	  | install -D -m 644 /dev/stdin "$(DESTDIR)$(UNITDIR)/stepgate.service"
	@install -D -m 644 systemd/stepgate.sysusers "$(DESTDIR)$(PREFIX)/lib/sysusers.d/stepgate.conf"
	@[ -e "$(DESTDIR)$(CONFDIR)/stepgate.yaml" ] \
	  || install -D -m 644 config/stepgate.yaml "$(DESTDIR)$(CONFDIR)/stepgate.yaml"
	@install -d -m 700 "$(DESTDIR)$(CONFDIR)/credentials"
	@gzip -9n < .build/man/stepgate.1 | install -D -m 644 /dev/stdin "$(DESTDIR)$(MANDIR)/stepgate.1.gz"
	@# Sourced, never run: so without its first line, which names a shell.
	@sed '1{/^#!/d}' .build/man/stepgate.bash | install -D -m 644 /dev/stdin "$(DESTDIR)$(BASHDIR)/stepgate"
	@install -D -m 644 .build/man/_stepgate "$(DESTDIR)$(ZSHDIR)/_stepgate"
	@install -D -m 644 .build/man/stepgate.fish "$(DESTDIR)$(FISHDIR)/stepgate.fish"
	@install -D -m 644 -t "$(DESTDIR)$(DOCDIR)" README.md ARCHITECTURE.md CHANGELOG.md
	@install -D -m 644 -t "$(DESTDIR)$(DOCDIR)/docs" docs/*.md
	@cp -R config "$(DESTDIR)$(DOCDIR)/" && chmod -R u=rwX,go=rX "$(DESTDIR)$(DOCDIR)/config"
	@[ -n "$(DESTDIR)" ] || printf '%s\n' 'installed. To run it as a service:' \
	  '  systemd-sysusers && systemctl daemon-reload && systemctl enable --now stepgate'

uninstall: ## remove what "make install" put there (same PREFIX); leaves settings, tables and the user
	@rm -f $(foreach file,$(INSTALLED),"$(DESTDIR)$(file)")
	@rm -rf "$(DESTDIR)$(DOCDIR)"
	@[ -n "$(DESTDIR)" ] || echo 'left: $(CONFDIR), /var/lib/stepgate, and the user stepgate'

# Passed on to "deps", as above.
deb test-package: PACKAGES += dpkg-dev lintian

deb: build man ## make a Debian package: .build/deb/stepgate_VERSION_ARCH.deb
	@packaging/build-deb.sh

test-package: PACKAGES += debootstrap systemd-container python3

test-package: deb ## install that package in a container, use the service, break it, upgrade it, purge it
	@# Only root boots a container.
	@if [ "$$(id -u)" -eq 0 ]; then Tests/Package/run.py; else sudo Tests/Package/run.py; fi
