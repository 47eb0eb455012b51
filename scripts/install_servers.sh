#!/usr/bin/env bash
# What tests and the local cluster run against: databases, brokers, servers of SSH, FTP and LDAP, nginx, Chromium, wrk, bubblewrap
# from the system's packages, Kafka's jars and those of a stand-in for MongoDB by Maven into .run. What is there already is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A packages=([redis-server]=redis-server [nginx]=nginx-light [chromium]=chromium [wrk]=wrk [bwrap]=bubblewrap [rabbitmq-server]=rabbitmq-server [mosquitto]=mosquitto [mariadbd]=mariadb-server [javac]=default-jdk-headless [mvn]=maven [sshd]=openssh-server [vsftpd]=vsftpd [slapd]=slapd [ssh]=openssh-client [git]=git [openssl]=openssl)
missing=()
PATH=$PATH:/usr/sbin  # where servers are that users do not call
for command in "${!packages[@]}"; do
  command -v "$command" >/dev/null || missing+=("${packages[$command]}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  if ! command -v apt-get >/dev/null; then
    echo "Please install: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(); [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

jars=.run/kafka-libs
if [ ! -f "$jars/.complete" ] || [ scripts/kafka/pom.xml -nt "$jars/.complete" ]; then
  mkdir -p "$jars"
  mvn --batch-mode --quiet --file scripts/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$jars"
  touch "$jars/.complete"
fi

jars=.run/mongo-libs
if [ ! -f "$jars/.complete" ] || [ scripts/mongo/pom.xml -nt "$jars/.complete" ] || [ scripts/mongo/MongoServer.java -nt "$jars/.complete" ]; then
  mkdir -p "$jars"
  mvn --batch-mode --quiet --file scripts/mongo/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$jars"
  javac -cp "$jars/*" -d "$jars" scripts/mongo/MongoServer.java
  touch "$jars/.complete"
fi
