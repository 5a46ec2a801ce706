#!/bin/sh
# Installs a release of the lab for one person: no compiler, not as root.
#
#   deploy/install.sh                 the latest release
#   deploy/install.sh 0.1.0           this one
#   deploy/install.sh --platform      prints what this machine is, such as linux-amd64
#
# Unpacks into ~/.local/share/sre-lab/VERSION and writes the command ~/.local/bin/lab. Two versions can be installed side by side; the
# command starts the one that was installed last. The servers that a lab runs on (PostgreSQL and others) come with the first `lab up`,
# from the machine's package manager, as in a checkout.
#
# Environment:
#   PREFIX              in place of ~/.local
#   REQUIRE_SIGNATURE   yes: refuse to install if the signature cannot be verified, because cosign is not there
#   RELEASES            another address of the releases, such as a mirror: https://… or file://…
set -eu

repository=https://github.com/sre-lab/sre-lab
releases=${RELEASES:-$repository/releases}
prefix=${PREFIX:-$HOME/.local}

say() { printf 'install: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

platform() {
    case $(uname -s) in
        Linux) system=linux ;;
        Darwin) system=macos ;;
        *) die "there are no programs for $(uname -s): on Windows, use WSL" ;;
    esac
    case $(uname -m) in
        x86_64 | amd64) machine=amd64 ;;
        aarch64 | arm64) machine=arm64 ;;
        *) die "there are no programs for $(uname -m): build them, with ./lab in a checkout of $repository" ;;
    esac
    # The programs are linked against glibc; musl cannot run them.
    if [ "$system" = linux ] && has ldd && ldd --version 2>&1 | grep -qi musl; then
        die "the programs need glibc, and this machine has musl: build them, with ./lab in a checkout of $repository"
    fi
    echo "$system-$machine"
}

download() { curl --fail --silent --show-error --location --proto '=https,file' --output "$2" "$1" || die "cannot download $1"; }

sum() {
    if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# The signature on the list of sums, by the workflow that made the release with this tag.
verify() {
    if ! has cosign; then
        [ "${REQUIRE_SIGNATURE-}" != yes ] || die "cosign is not installed: https://docs.sigstore.dev/cosign/system_config/installation"
        say "cosign is not installed: the sums are compared, but nobody has verified who published them"
        return
    fi
    download "$from/SHA256SUMS.sigstore.json" "$work/SHA256SUMS.sigstore.json"
    cosign verify-blob --bundle "$work/SHA256SUMS.sigstore.json" \
        --certificate-identity "$repository/.github/workflows/release.yml@refs/tags/v$version" \
        --certificate-oidc-issuer https://token.actions.githubusercontent.com "$work/SHA256SUMS" >&2 ||
        die "the signature on SHA256SUMS is wrong: do not use these files"
}

install() {
    has curl || die "curl is not installed"
    platform=$(platform)
    from=$releases/latest/download
    [ -z "$1" ] || from=$releases/download/v${1#v}
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    download "$from/SHA256SUMS" "$work/SHA256SUMS"
    # The name of the archive says which version the latest is.
    name=$(sed -n "s/^[0-9a-f]\{64\} [ *]\(sre-lab-[0-9][0-9A-Za-z.-]*-$platform\)\.tar\.gz\$/\1/p" "$work/SHA256SUMS")
    [ -n "$name" ] || die "this release has no programs for $platform"
    version=${name#sre-lab-}
    version=${version%-"$platform"}
    [ -z "$1" ] || [ "$version" = "${1#v}" ] || die "asked for ${1#v}, and got a list of $version"
    verify
    folder=$prefix/share/sre-lab/$version
    if [ -e "$folder" ]; then
        say "$folder is there already"
    else
        say "downloading $name"
        download "$from/$name.tar.gz" "$work/archive"
        expected=$(sed -n "s/^\([0-9a-f]\{64\}\) [ *]$name\.tar\.gz\$/\1/p" "$work/SHA256SUMS")
        [ "$(sum "$work/archive")" = "$expected" ] || die "the sum of $name.tar.gz is not the one in SHA256SUMS: do not use it"
        # Beside its place, so that it appears there whole or not at all.
        mkdir -p "$prefix/share/sre-lab"
        draft=$(mktemp -d "$prefix/share/sre-lab/.draft.XXXXXX")
        trap 'rm -rf "$work" "$draft"' EXIT
        tar -x -o -z -C "$draft" -f "$work/archive"
        mv "$draft/$name" "$folder"
    fi
    mkdir -p "$prefix/bin"
    # Not a link: ./lab finds its files from its own path.
    printf '#!/bin/sh\nexec "%s/lab" "$@"\n' "$folder" >"$prefix/bin/lab"
    chmod 755 "$prefix/bin/lab"
    case ":$PATH:" in *":$prefix/bin:"*) command=lab ;; *) command=$prefix/bin/lab ;; esac
    say "installed $version; start it with:  $command up"
}

# Called at the end: a script that arrives in half does nothing.
case ${1-} in
    --platform) platform ;;
    -*) sed -n '2,/^set -eu$/s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
    *) install "${1-}" ;;
esac
