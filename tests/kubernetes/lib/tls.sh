#!/bin/sh
# Checks of values.tls, for the check `chart`, which sources this file.
# shellcheck disable=SC2154 # $bin and $work are set there
set -eu

# TLS between the parts: every part has its proxy, no program listens beyond it, PostgreSQL trusts no address, and each proxy lets in
# only those who have an edge to it. What it renders for the operator and with an Ingress is valid too.
check_tls() {
    [ -z "$(rendered "$work/default.yaml" ConfigMap tls-proxy)" ] || die "without tls.mode there is a proxy"
    render --set tls.mode=own >"$work/own.yaml" || die "helm template, tls.mode=own"
    render --set tls.mode=own,controlRoom.ingress.host=room.example,postgresBackup.enabled=true,postgresBackup.password=example \
        --set postgresBackup.s3.endpoint=http://objects:9000,postgresBackup.s3.bucket=backups,postgresBackup.s3.secret=backup-account \
        >"$work/own-options.yaml" || die "helm template, tls.mode=own with options"
    render "$(overlay existing)" --set tls.mode=own >"$work/own-existing.yaml" || die "helm template, tls.mode=own, profile existing"
    render --set tls.mode=cert-manager,tls.issuer.kind=ClusterIssuer,tls.issuer.name=company >"$work/issuer.yaml" || die "helm template, an issuer"
    for file in own own-options own-existing; do
        valid "$work/$file.yaml"
        "$bin/manifests" podsecurity "$work/$file.yaml"
        rendered "$work/$file.yaml" ConfigMap tls-proxy | sed -n 's/^  \([a-z-]*\)\.conf: |$/\1/p' >"$work/proxies"
        [ "$(wc -l <"$work/proxies")" = "$(grep -c 'command: \[sh, /etc/tls-proxy/start.sh\]' "$work/$file.yaml")" ] \
            || die "$file: not every configuration of a proxy has a container, or the reverse"
        [ "$(wc -l <"$work/proxies")" -ge 6 ] || die "$file: only these parts have a proxy: $(cat "$work/proxies")"
        ! grep -E '^ *host .* trust$' "$work/$file.yaml" || die "$file: PostgreSQL would let the proxy in without a password"
        read_by_nginx "$work/$file.yaml"
    done
    "$bin/manifests" operator "$work/own-existing.yaml"
    grep -qF 'serverName: any.sre-lab.svc' "$work/own-existing.yaml" || die "the operator's Prometheus has no certificate to scrape with"
    check_configurations "$work/own.yaml"
    ! grep -E 'value: "?0\.0\.0\.0:' "$work/own.yaml" || die "a program listens beside its proxy"
    [ "$(grep -cE 'value: "?0\.0\.0\.0:' "$work/own-options.yaml")" = 1 ] || die "only the control room behind an Ingress listens for itself"
    lets_in postgres order-api order-worker user-service control-room postgres-exporter
    lets_in redis user-service control-room redis-exporter
    lets_in redpanda order-api order-worker
    lets_in user-service edge order-api prometheus control-room helm-test
    valid "$work/issuer.yaml"
    refused "$work/issuer.yaml" 's/^  dnsNames:/  dnsName:/'
    grep -q '^  issuerRef: .*kind: ClusterIssuer, name: company }$' "$work/issuer.yaml" || die "the issuer that was set is not asked"
    ! grep -q '^kind: Issuer$' "$work/issuer.yaml" || die "there is a CA beside the issuer that was set"
    verify_certificates
    say "TLS: $(rendered "$work/own.yaml" ConfigMap tls-proxy | grep -c '\.conf: |$') proxies, each lets in who has an edge to it"
}

# lets_in PART CALLER...: the proxy of the part lets in these and no others.
lets_in() {
    part=$1
    shift
    printf '%s\n' "$@" | sort >"$work/expected"
    "$bin/manifests" data tls-proxy "$part.conf" "$work/own.yaml" | sed -n 's/^ *"CN=\([a-z-]*\)\.sre-lab" 127\.0\.0\.1:[0-9]*;$/\1/p' | sort -u >"$work/callers"
    diff "$work/expected" "$work/callers" >&2 || die "the proxy of $part lets in others than it should"
}

# The configurations of the proxies in FILE, if this machine has nginx: with addresses and certificates of this machine.
read_by_nginx() {
    if ! has nginx || ! has openssl; then
        say "nginx or openssl is not installed: nginx did not read the configurations of the proxies"
        return
    fi
    mkdir -p "$work/tls"
    [ -s "$work/tls/tls.crt" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test -keyout "$work/tls/tls.key" -out "$work/tls/tls.crt" 2>/dev/null
    cp "$work/tls/tls.crt" "$work/tls/ca.crt"
    while read -r part; do
        "$bin/manifests" data tls-proxy "$part.conf" "$1" \
            | sed "s# /t[lm][sp]/# $work/tls/#; s/POD_IP/127.0.0.2/; s/proxy_pass [a-z-]*\.sre-lab\.svc:/proxy_pass 127.0.0.1:/" >"$work/tls/nginx.conf"
        nginx -e stderr -q -t -c "$work/tls/nginx.conf" || { cat "$work/tls/nginx.conf"; die "nginx does not take the configuration of $part"; }
    done <"$work/proxies"
}

# Each certificate of tls.mode=own is signed by the CA, and is the part's.
verify_certificates() {
    has openssl || return 0
    rendered "$work/own.yaml" Secret tls-ca | sed -n 's/^  tls\.crt: //p' | base64 -d >"$work/ca.crt"
    for part in edge postgres prometheus; do
        rendered "$work/own.yaml" Secret "tls-$part" | sed -n 's/^  tls\.crt: //p' | base64 -d >"$work/part.crt"
        openssl verify -CAfile "$work/ca.crt" -verify_hostname "$part.sre-lab.svc" "$work/part.crt" >/dev/null || die "the certificate of $part"
        openssl x509 -in "$work/part.crt" -noout -subject -nameopt RFC2253 | grep -qx "subject=CN=$part.sre-lab" || die "the subject of $part is not the one that proxies let in"
    done
}
