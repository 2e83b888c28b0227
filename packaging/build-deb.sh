#!/usr/bin/env bash
# Makes .build/deb/stepgate_VERSION_ARCH.deb of what "make install" installs, and has lintian look at it.
# Called by "make deb", after the build.
#
# The same sources, toolchain and libraries give the same package: all times in it are that of the changelog.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

output=$PWD/.build/deb
root=$output/root

fail() {
  echo "build-deb: $*" >&2
  exit 1
}

# The program's own version has the last word.
version=$(sed -n 's/^public let stepgateVersion = "\(.*\)"$/\1/p' Sources/Service/Version.swift)
[[ $version == "$(dpkg-parsechangelog -l packaging/changelog -S Version)" ]] \
  || fail "packaging/changelog does not begin with version $version, that of Sources/Service/Version.swift"
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/changelog -S Timestamp)
export SOURCE_DATE_EPOCH
# dpkg's tools would ask gcc, which need not be there.
DEB_HOST_ARCH=$(dpkg --print-architecture)
export DEB_HOST_ARCH

# What is linked in comes with its licence: the Swift packages, and Swift's runtime with the libraries in it.
install_licenses() {
  local file licenses=$root/usr/share/doc/stepgate/licenses
  for file in .build/checkouts/*/{LICENSE,NOTICE}*; do
    [[ -f $file ]] || continue
    install -D -m 644 "$file" "$licenses/$(basename "$(dirname "$file")")/$(basename "$file")"
  done
  file=$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')/../../share/swift/LICENSE.txt
  [[ -f $file ]] || fail "the toolchain has no licence at $file"
  install -D -m 644 "$file" "$licenses/swift/LICENSE.txt"
}

install_documents() {
  local documents=$root/usr/share/doc/stepgate
  install -D -m 644 packaging/copyright "$documents/copyright"
  gzip -9n < packaging/changelog > "$documents/changelog.gz"
  chmod 644 "$documents/changelog.gz"
  install -D -m 644 packaging/lintian-overrides "$root/usr/share/lintian/overrides/stepgate"
}

# dpkg's tools read debian/control in the current folder; so they get a folder that has one.
write_control() {
  local scratch=$output/scratch
  mkdir -p "$scratch/debian" "$root/DEBIAN"
  cp packaging/control packaging/changelog "$scratch/debian/"
  install -m 644 packaging/conffiles "$root/DEBIAN/"
  install -m 755 packaging/{postinst,prerm,postrm} "$root/DEBIAN/"
  (cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
  (
    cd "$scratch"
    dpkg-shlibdeps "$root/usr/bin/stepgate"
    dpkg-gencontrol -pstepgate -P"$root" -O"$root/DEBIAN/control"
  )
}

rm -rf "$output"
make --no-print-directory -o build -o man install DESTDIR="$root" PREFIX=/usr \
  UNITDIR=/lib/systemd/system ZSHDIR=/usr/share/zsh/vendor-completions > /dev/null
# 90 MB become 60.
strip --remove-section=.comment --remove-section=.note "$root/usr/bin/stepgate"
install_licenses
install_documents
write_control
dpkg-deb --root-owner-group --build "$root" "$output" > /dev/null
rm -rf "$root" "$output/scratch"
deb=$(echo "$output"/stepgate_"$version"_*.deb)
lintian --allow-root --fail-on error,warning "$deb"
echo "built ${deb#"$PWD"/}"
