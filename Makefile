# sluice: every way to build, run and check it. `make help` prints this list.

TARGET  := x86_64-unknown-linux-musl
PROGRAM := target/$(TARGET)/release/sluice

# build/env.sh finds or makes the static standard library and sets the flags
# that make two builds equal byte for byte; every cargo below goes through it.
ifdef CROSS
cargo := CROSS_CONFIG=build/cross.toml cross
else
cargo := build/env.sh cargo
endif

.DEFAULT_GOAL := program
.PHONY: program run test check deb rpm tarball dist verify readme test-packages clean help setup bench profile train reload-bench start-bench

program: ## the static program, target/x86_64-unknown-linux-musl/release/sluice (the default; CROSS=1: built by `cross`)
	$(cargo) build --release --locked --target $(TARGET)
	build/split-debug.sh $(PROGRAM)

run: program ## set up, build and start the demonstration on 127.0.0.1:8080 and :8404
	$(PROGRAM) demo

test: setup program ## set up, build and run the whole test suite against the static program
	SLUICE_PROGRAM=$(CURDIR)/$(PROGRAM) $(cargo) test --locked --target $(TARGET)

check: ## formatting and lints, warnings denied
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- --deny warnings

bench: program ## every scenario beside haproxy and nginx, into tests/bench/RESULTS.md (about 25 minutes)
	build/need.sh /usr/sbin/haproxy:haproxy /usr/sbin/nginx:nginx-light
	cargo bench --locked --bench side_by_side -- --write

bench-%: program ## the scenarios with this in their name, on the screen only (bench-list: their names)
	build/need.sh /usr/sbin/haproxy:haproxy /usr/sbin/nginx:nginx-light
	cargo bench --locked --bench side_by_side -- $(if $(filter list,$*),--list,$*)

profile: profile-keep-64 ## where the time goes in small requests, by perf (profile-NAME: in another scenario)

profile-%: program
	build/need.sh perf:linux-perf
	cargo bench --locked --bench side_by_side -- --profile --seconds 5 $*

train: ## measure anew where time goes, for the compiler to optimise by (before a release; about 10 minutes)
	build/train.sh

reload-bench: program ## what reloads lose, in a table beside haproxy's losses (about 10 minutes)
	build/need.sh /usr/sbin/haproxy:haproxy
	SLUICE_PROGRAM=$(CURDIR)/$(PROGRAM) cargo test --locked --test it reload::table -- --ignored --nocapture

start-bench: program ## how long a start takes and what an idle process holds, beside haproxy (a minute; wants a quiet machine)
	build/need.sh python3:python3-minimal
	python3 packaging/test/start.py $(PROGRAM) --hold

dist: deb rpm tarball ## all packages, the bill of materials, licences and SHA256SUMS, in dist/
	build/env.sh python3 packaging/bill.py sbom >dist/sluice.cdx.json
	build/env.sh python3 packaging/bill.py licences >dist/THIRD-PARTY
	cd dist && sha256sum *.deb *.rpm *.tar.gz sluice.cdx.json THIRD-PARTY >SHA256SUMS

deb: program ## the package for Debian and Ubuntu, and one of debug symbols, in dist/
	build/need.sh dpkg-deb:dpkg python3:python3-minimal
	build/env.sh packaging/deb.sh $(PROGRAM) dist

rpm: program ## the package for Fedora, EL and SUSE, and one of debug symbols, in dist/
	build/need.sh rpmbuild:rpm python3:python3-minimal
	build/env.sh packaging/rpm.sh $(PROGRAM) dist

tarball: program ## the archive for any other Linux, in dist/
	build/need.sh python3:python3-minimal
	build/env.sh packaging/tarball.sh $(PROGRAM) dist

verify: ## build twice under different circumstances, compare, and print what was found
	build/verify.sh

test-packages: dist ## lint the packages, install, upgrade and purge them in systems made for it, run image and program elsewhere (root, Debian's archive)
	packaging/test/lint.sh dist
	packaging/test/deb-chroot.sh bookworm dist/sluice_*_amd64.deb
	packaging/test/deb-chroot.sh trixie dist/sluice_*_amd64.deb
	packaging/test/rpm-root.sh dist/sluice-[0-9]*.rpm
	packaging/test/dnf.sh dist/sluice-[0-9]*.rpm
	packaging/test/systemd.sh dist/sluice_*_amd64.deb bookworm
	packaging/test/systemd.sh dist/sluice_*_amd64.deb trixie
	packaging/test/container.sh $(PROGRAM)
	packaging/test/kernel.sh $(PROGRAM)

readme: program ## write the README's tables anew, from the program, its source and build/verify.sh
	python3 packaging/manual/support.py $(PROGRAM) README.md
	python3 packaging/manual/differences.py README.md
	python3 packaging/manual/promises.py README.md

clean: ## delete everything that was built, but for the standard library kept in ~/.cache/sluice
	rm -rf target dist

setup: ## install the other programs that the tests talk to
	build/test-tools.sh

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='	' read -r name does; do printf '  make %-12s %s\n' "$$name" "$$does"; done
