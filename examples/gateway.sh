#!/usr/bin/env bash
# A gateway asked with curl: one picture at once, then a run of files that a worker's root has.
#
#     CLIPFLEET_URL=http://localhost:8321 CLIPFLEET_KEY=... bash examples/gateway.sh examples/pictures/owl.jpg owl.jpg bear.png
set -euo pipefail
gateway=${CLIPFLEET_URL:-http://localhost:8321}
picture=$1
shift
ask() { curl --silent --show-error --fail-with-body -H "authorization: Bearer ${CLIPFLEET_KEY:-}" "$@"; }

ask "$gateway/v1/classify" -F image=@"$picture" -F candidate_labels=fox,bear,owl
echo

run=curl-$$-$(date +%s)
ask "$gateway/v1/runs" -H 'content-type: application/json' \
  -d "{\"run\": \"$run\", \"labelSet\": {\"labels\": [\"fox\", \"bear\", \"owl\"]}}"
echo
# A line of JSON for each image. A request that breaks off can be sent again.
printf '{"uri": "%s"}\n' "$@" |
  ask "$gateway/v1/runs/$run/images?seal=true" -H 'content-type: application/x-ndjson' --data-binary @-
echo
# The rows as they come, until the run has ended.
ask --no-buffer "$gateway/v1/runs/$run/rows?follow=true"
