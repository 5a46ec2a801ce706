#!/bin/sh
# Profile elk: stores the index template and the lifecycle policy of dashboards/opensearch in OpenSearch, then ends. Run again,
# it replaces them.
set -eu

url=${OPENSEARCH_URL:-http://opensearch:9200}
files=${FILES:-/etc/sre-lab}
policy=_plugins/_ism/policies/sre-lab-logs

put() {
    curl --silent --show-error --fail-with-body --max-time 30 -X PUT -H 'content-type: application/json' --data-binary "@$2" "$url/$1"
    echo
}
# The number under a name in JSON on one line; nothing if there is none.
number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }

put _index_template/sre-lab-logs "$files/index-template.json"
# Replacing a policy takes its version, so that nobody overwrites what they have not seen.
older=$(curl --silent --max-time 30 "$url/$policy")
seq_no=$(echo "$older" | number _seq_no)
term=$(echo "$older" | number _primary_term)
put "$policy${seq_no:+?if_seq_no=$seq_no&if_primary_term=$term}" "$files/ism-policy.json"
