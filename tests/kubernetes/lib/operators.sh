#!/bin/sh
# Whether objects are valid, for the check `chart`, which sources this file: those of Kubernetes, and those of operators by the
# definitions that the operators publish.
# shellcheck disable=SC2154 # $bin, $kubernetes, $root, $schemas and $work are set there
set -eu

# A change of this file, and so of a version, rebuilds them.
definitions=$root/target/tools/schemas-operators-$(cksum <"$root/tests/kubernetes/lib/operators.sh" | cut -d ' ' -f 1)

# The schemas of operators' kinds.
define() {
    [ ! -e "$definitions/scalers.json" ] || return 0
    keda=$(module_source github.com/kedacore/keda/v2@v2.20.2)
    certificates=$(module_source github.com/cert-manager/cert-manager@v1.21.2)/deploy/crds/cert-manager.io
    postgres=$(module_source github.com/cloudnative-pg/cloudnative-pg@v1.28.0)/config/crd/bases/postgresql.cnpg.io
    barman=$(module_source github.com/cloudnative-pg/plugin-barman-cloud@v0.15.0)/config/crd/bases/barmancloud.cnpg.io
    "$bin/manifests" crds "$definitions" "$keda/config/crd/bases/keda.sh_scaledobjects.yaml" \
        "${certificates}_certificates.yaml" "${certificates}_issuers.yaml" \
        "${postgres}_clusters.yaml" "${postgres}_databases.yaml" "${postgres}_scheduledbackups.yaml" "${barman}_objectstores.yaml"
    # Last: it says that the others are there.
    cp "$keda/schema/generated/scalers-schema.json" "$definitions/scalers.json"
}

# valid FILE: every object in it. Those of the Prometheus operator are read with its own types (`manifests operator`).
valid() {
    "$bin/kubeconform" -strict -summary -skip PodMonitor,PrometheusRule -kubernetes-version "$kubernetes" \
        -schema-location "$schemas/{{.ResourceKind}}{{.KindSuffix}}.json" \
        -schema-location "$definitions/{{.ResourceKind}}{{.KindSuffix}}.json" "$1"
}

# refused FILE EDIT: after this edit by sed the file is not valid. Otherwise a check that reads nothing would pass.
refused() {
    sed "$2" "$1" >"$work/planted.yaml"
    ! cmp -s "$1" "$work/planted.yaml" || die "nothing was planted in $1 by $2"
    ! valid "$work/planted.yaml" >"$work/last" 2>&1 || die "a mistake in $1 is accepted: $2"
}

# With KEDA, order-worker has one autoscaler, a threshold, and no number of pods that an upgrade would set back.
check_keda() {
    awk -v RS='---\n' '/\nkind: ScaledObject\n/' "$1" >"$work/scaled"
    grep -qF 'threshold: "50"' "$work/scaled" || die "no ScaledObject has the threshold that was set"
    grep -qF 'serverAddress: http://prometheus.sre-lab.svc:9090' "$work/scaled" || die "KEDA would not find Prometheus"
    grep -qF 'ignoreNullValues: "false"' "$work/scaled" || die "KEDA would take a lag that nobody knows for none"
    refused "$work/scaled" 's/pollingInterval:/pollingIntervall:/'
    "$bin/manifests" triggers "$definitions/scalers.json" "$work/scaled"
    sed 's/threshold:/treshold:/' "$work/scaled" >"$work/planted.yaml"
    ! "$bin/manifests" triggers "$definitions/scalers.json" "$work/planted.yaml" 2>"$work/last" || die "a trigger without its threshold is accepted"
    awk -v RS='---\n' '/\nkind: Deployment\n/ && /\n  name: order-worker\n/' "$1" >"$work/worker"
    [ -s "$work/worker" ] || die "no Deployment of order-worker is found"
    ! grep -q '^  replicas:' "$work/worker" || die "the Deployment of order-worker sets the number of pods, which is KEDA's"
}

# The manifests for CloudNativePG, and the cluster as the patch for backups makes it.
check_cloudnative_pg() {
    from=deploy/cloudnative-pg
    sed '1,/^spec:$/d' $from/patch.yaml >"$work/plugins"
    sed "/^  instances: /r $work/plugins" $from/cluster.yaml >"$work/archived.yaml"
    grep -qF 'barmanObjectName: lab-postgres' "$work/archived.yaml" || die "$from/patch.yaml does not name the store of backups.yaml"
    for file in $from/cluster.yaml $from/backups.yaml "$work/archived.yaml"; do valid "$file"; done
    refused $from/cluster.yaml 's/dataDurability: preferred/dataDurability: perhaps/'
    refused $from/backups.yaml 's/destinationPath:/destination:/'
    say "the manifests for CloudNativePG are valid"
}
