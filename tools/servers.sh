#!/bin/sh
# Which servers a command of `lab` needs, as tools/install.sh calls them: nothing, or `run`, or `apache` and `opensearch`,
# which need Java.
#
#   tools/servers.sh up --kafka apache    apache
set -eu

case " $* " in
    *' up '* | *' torture '*) ;;
    *) exit 0 ;;
esac
case " $* ${LAB_KAFKA:+--kafka=$LAB_KAFKA} " in
    *" --kafka apache "* | *" --kafka=apache "*) echo apache ;;
    *) echo run ;;
esac
case " $* ${LAB_LOGS:+--logs=$LAB_LOGS} " in
    *" --logs opensearch "* | *" --logs=opensearch "*) echo opensearch ;;
esac
