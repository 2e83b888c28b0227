# All that a developer does by hand, and .ci/run by itself. "make" lists the targets.

SHELL := bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build test test-page man soak fuzz corpus demo lint format clean bench bench-quick bench-counts

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

test: deps ## build and run all tests
	@swift build --quiet --build-tests
	@swift test --quiet --skip-build --disable-xctest
	@Tests/Fuzz/fuzz.sh short

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

# Passed on to "deps".
bench bench-quick bench-counts: PACKAGES += python3
bench bench-quick: PACKAGES += python3-venv gcc libc6-dev

bench: build ## measure every goal of docs/performance.md (25 minutes)
	@python3 Benchmarks/bench.py

bench-quick: build ## the same with small sizes (3 minutes)
	@python3 Benchmarks/bench.py --quick

bench-counts: build ## check allocations and instructions a record
	@python3 Benchmarks/bench.py --quick --strict --only counts
