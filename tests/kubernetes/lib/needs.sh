#!/bin/sh
# The prerequisites of the checks, each with a fix. `run` sources this file; every function adds what is missing to
# $work/missing.
# shellcheck disable=SC2154 # $root, $work and $docker are set by `run`

# lacks WHAT FIX: the fix is a command if there is one; it may have several lines.
lacks() {
    printf '  %s\n' "$1"
    printf '%s\n' "$2" | sed 's/^/      /'
} >>"$work/missing"

# How to get a program; the packages are Debian's.
source_of() {
    case $1 in
        go) echo 'see https://go.dev/dl' ;;
        kubectl) echo 'see https://kubernetes.io/docs/tasks/tools' ;;
        docker) echo 'apt-get install docker.io, or DOCKER=the client that you have' ;;
        etcd) echo 'apt-get install etcd-server' ;;
        cc) echo 'apt-get install gcc libc6-dev' ;;
        promtool) echo 'apt-get install prometheus' ;;
        amtool) echo 'apt-get install prometheus-alertmanager' ;;
        ldd) echo 'apt-get install libc-bin' ;;
        strip) echo 'apt-get install binutils' ;;
        setpriv | unshare) echo 'apt-get install util-linux' ;;
        ip) echo 'apt-get install iproute2' ;;
        *) echo "apt-get install $1" ;;
    esac
}

programs() { for program in "$@"; do has "$program" || lacks "the program $program" "$(source_of "$program")"; done; }

superuser() { [ "$(id -u)" = 0 ] || lacks "root (for $1)" "sudo --preserve-env tests/kubernetes/run $check"; }

# The programs in the image of build/debian-image.
debian_packages() {
    programs curl redis-server ldd prometheus-postgres-exporter prometheus-redis-exporter prometheus-node-exporter
    [ -d /usr/lib/postgresql ] || lacks "PostgreSQL, from Debian's package" "apt-get install postgresql"
}

# The proxy of values.tls, for the proof `tls`.
nginx_with_streams() {
    programs nginx openssl
    [ -e /usr/lib/nginx/modules/ngx_stream_module.so ] || lacks "nginx's module for streams" "apt-get install libnginx-mod-stream"
}

# For the pause program, the only C program of Kubernetes.
static_c() {
    programs cc
    ! has cc || echo 'int main(void) { return 0; }' | cc -static -x c -o "$work/static" - 2>/dev/null \
        || lacks "a static C library" "apt-get install libc6-dev"
}

# release_binaries FOLDER PROGRAM...: these, and all programs that go into images.
release_binaries() {
    folder=${1:-target/release}
    shift
    missing=''
    for program in "$@" $(cat deploy/docker/programs) lab-kafka lab-traces lab-objects; do [ -x "$folder/$program" ] || missing="$missing $program"; done
    [ -z "$missing" ] || lacks "release binaries in $folder:$missing" "cargo build --release --locked --workspace --bins"
}

# engine_says FORMAT: one fact about the engine, or nothing.
engine_says() { "$docker" info --format "$1" 2>/dev/null || :; }

# BuildKit is built into clients 18.09 to 22, and a plug-in in others.
engine() {
    programs "$docker"
    has "$docker" || return 0
    version=$("$docker" version --format '{{.Client.Version}}' 2>/dev/null | head -n 1)
    major=${version%%.*}
    case $major in 18 | 19 | 2[0-2]) built_in=yes ;; *) built_in=no ;; esac
    [ "$built_in" = yes ] || "$docker" buildx version >/dev/null 2>&1 \
        || lacks "BuildKit: $docker ${version:-(version unknown)} has no plug-in buildx" \
            "apt-get install docker-buildx-plugin, or DOCKER=/usr/bin/docker for the client of Debian 12's docker.io 20.10, which has BuildKit built in"
    "$docker" info >/dev/null 2>&1 \
        || lacks "a container engine: $docker gets no answer" "systemctl start docker (without systemd: dockerd &), or DOCKER_HOST=the address of your engine"
}

compose_program() {
    # shellcheck disable=SC2086 # a list of words
    ${COMPOSE:-$docker compose} version >/dev/null 2>&1 \
        || lacks "a compose program: ${COMPOSE:-$docker compose} does not work" "apt-get install docker-compose, then COMPOSE=docker-compose"
}

# cgroups CONTROLLER...: in version 2, or mounted individually in version 1.
cgroups() {
    here=/sys/fs/cgroup
    if [ -e "$here/cgroup.controllers" ]; then
        for controller in "$@"; do
            grep -qw -- "$controller" "$here/cgroup.controllers" \
                || lacks "the cgroup controller $controller" "echo +$controller >$here/cgroup.subtree_control, in the parent of this machine's cgroup"
        done
        return
    fi
    for controller in "$@"; do
        [ -d "$here/$controller" ] || lacks "the cgroup controller $controller" "mkdir -p $here/$controller && mount -t cgroup -o $controller cgroup $here/$controller"
    done
}

# The hierarchy in which systemd in a node keeps its services, if there is no version 2.
systemd_cgroup() {
    here=/sys/fs/cgroup
    [ -e "$here/cgroup.controllers" ] || [ -d "$here/systemd" ] || lacks "the cgroup hierarchy of systemd" "mkdir -p $here/systemd && mount -t cgroup -o none,name=systemd cgroup $here/systemd"
}

# Machines with 8 GiB report a little less.
memory() {
    gib=$1
    kib=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
    [ "$kib" -ge $((gib * 1024 * 1024 * 9 / 10)) ] || lacks "memory: $((kib / 1024)) MiB, and the check needs $gib GiB" "a larger machine"
}

# disk GB: free, where programs are built and where the engine keeps images.
disk() {
    for folder in "$root" "$(engine_says '{{.DockerRootDir}}')"; do
        [ -d "$folder" ] || continue
        free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1000 / 1000 * 1.024) }')
        [ "$free" -ge "$1" ] || lacks "disk: $free GB are free below $folder, and the check needs $1" "docker system prune, go clean -cache, or a larger disk"
    done
}

inotify() {
    instances=$(cat /proc/sys/fs/inotify/max_user_instances)
    [ "$instances" -ge "$1" ] || lacks "fs.inotify.max_user_instances: $instances, and three nodes need $1" "sysctl -w fs.inotify.max_user_instances=$1"
}

# Bit 24 of the capabilities that the engine may grant: its own bounding set, or ours if the engine is not visible.
sys_resource() {
    runtime=$(engine_says '{{.DefaultRuntime}}')
    # A different runtime has been chosen already.
    case $runtime in '' | runc | io.containerd.runc.v2) ;; *) return 0 ;; esac
    status=/proc/self/status
    pid=$(cat /run/docker.pid 2>/dev/null || :)
    [ -z "$pid" ] || [ ! -r "/proc/$pid/status" ] || status=/proc/$pid/status
    bounding=$(awk '$1 == "CapBnd:" { print $2 }' "$status")
    [ $(((0x$bounding >> 24) & 1)) = 0 ] || return 0
    wrapper=$root/tests/kubernetes/build/runc-without-sys-resource
    lacks "CAP_SYS_RESOURCE: the engine may not grant it, and nodes would fail with \"unable to apply caps\"" \
        "write this to /etc/docker/daemon.json, and start dockerd again (it needs /usr/bin/python3):
{ \"default-runtime\": \"without-sys-resource\",
  \"runtimes\": {
    \"without-sys-resource\": { \"path\": \"$wrapper\" } } }"
}

# free_ports FIX PORT...: nothing listens on them. In the kernel's table, state 0A is LISTEN.
free_ports() {
    fix=$1
    shift
    for port in "$@"; do
        if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null \
            | awk -v port="$(printf ':%04X' "$port")" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'; then
            lacks "port $port: it is in use" "$fix"
        fi
    done
}

# A cluster with this name that another run has kept.
no_cluster() {
    [ -z "$("$docker" ps --all --quiet --filter "label=io.x-k8s.kind.cluster=$1" 2>/dev/null || :)" ] \
        || lacks "the name of the cluster: $1 already exists" "PATH=$root/target/tools/control-plane:\$PATH kind delete cluster --name $1"
}
