#!/bin/sh
# Prints the secret that ssh or git asks for ($1 is the question) from the folder of the call.
case "$1" in
  "Enter passphrase for key "*) name=passphrase ;;
  Username*) name=username ;;
  *) name=password ;;
esac
exec cat "$WEFT_ASKPASS_FOLDER/$name"
