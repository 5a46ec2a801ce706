#!/bin/sh
# Starts the proxy of values.tls, and lets it follow its certificate. Needs POD_IP.
set -eu

case $POD_IP in *:*) address="[$POD_IP]" ;; *) address=$POD_IP ;; esac
sed "s/POD_IP/$address/g" /etc/tls-proxy/nginx.conf >/tmp/nginx.conf

# nginx resolves the names of Services once, at its start, and ends if that fails; their addresses stay.
until nginx -e stderr -q -t -c /tmp/nginx.conf; do sleep 1; done

# Every change of a mounted secret is a new target of this link. A reload cuts no connection.
(
    seen=$(readlink /tls/..data)
    while sleep 10; do
        now=$(readlink /tls/..data) || continue
        [ "$now" = "$seen" ] || { kill -HUP 1 && seen=$now; }
    done
) &
exec nginx -e stderr -c /tmp/nginx.conf
