#!/bin/sh
# Called with the state that this machine has entered: master, backup or fault.
echo "$(date '+%F %T') $(hostname) is $1 now" >>/run/haproxy-address.log
