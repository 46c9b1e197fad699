# Makes debian:13-slim from Debian's own archive: an OCI layout that `docker load` also accepts.
# shellcheck shell=bash

BASE_NAME=docker.io/library/debian:13-slim
BASE_DIR=$ENGINE_HOME/base
BASE_ARCHIVE=$ENGINE_HOME/base.tar
# Files and image have the date of Debian 13.0's release, so that the image is the same on every machine.
BASE_EPOCH=1754697600
BASE_CREATED=2025-08-09T00:00:00Z

# add_blob FILE LAYOUT: moves FILE into the layout and prints its digest and size.
add_blob() {
  local digest size
  digest=$(sha256sum <"$1" | cut -d' ' -f1)
  size=$(stat -c %s "$1")
  mv "$1" "$2/blobs/sha256/$digest"
  printf '%s %s' "$digest" "$size"
}

make_base_image() {
  local new=$ENGINE_HOME/base.new arch diff_id layer layer_size config config_size manifest manifest_size media
  [ -f "$BASE_ARCHIVE" ] && return
  say "making the base image $BASE_NAME"
  rm -rf "$new" "$BASE_DIR"
  mkdir -p "$new/blobs/sha256"
  arch=$(dpkg --print-architecture)
  PATH=$(engine_path) SOURCE_DATE_EPOCH=$BASE_EPOCH mmdebstrap --quiet --mode=root --variant=minbase \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    trixie "$new/layer.tar" "$DEBIAN_MIRROR" >"$ENGINE_HOME/base.log" 2>&1 ||
    { tail -20 "$ENGINE_HOME/base.log" >&2; die "mmdebstrap could not make the base image"; }
  diff_id=$(sha256sum <"$new/layer.tar" | cut -d' ' -f1)
  gzip -n -6 "$new/layer.tar"
  read -r layer layer_size <<<"$(add_blob "$new/layer.tar.gz" "$new")"
  cat >"$new/config" <<EOF
{"architecture":"$arch","os":"linux","created":"$BASE_CREATED","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["bash"]},"rootfs":{"type":"layers","diff_ids":["sha256:$diff_id"]},"history":[{"created":"$BASE_CREATED","created_by":"mmdebstrap trixie"}]}
EOF
  read -r config config_size <<<"$(add_blob "$new/config" "$new")"
  media=application/vnd.oci.image
  cat >"$new/manifest" <<EOF
{"schemaVersion":2,"mediaType":"$media.manifest.v1+json","config":{"mediaType":"$media.config.v1+json","digest":"sha256:$config","size":$config_size},"layers":[{"mediaType":"$media.layer.v1.tar+gzip","digest":"sha256:$layer","size":$layer_size}]}
EOF
  read -r manifest manifest_size <<<"$(add_blob "$new/manifest" "$new")"
  cat >"$new/index.json" <<EOF
{"schemaVersion":2,"mediaType":"$media.index.v1+json","manifests":[{"mediaType":"$media.manifest.v1+json","digest":"sha256:$manifest","size":$manifest_size,"annotations":{"io.containerd.image.name":"$BASE_NAME","org.opencontainers.image.ref.name":"${BASE_NAME##*:}"},"platform":{"architecture":"$arch","os":"linux"}}]}
EOF
  echo '{"imageLayoutVersion":"1.0.0"}' >"$new/oci-layout"
  # For the classic image store, which reads only this file.
  echo "[{\"Config\":\"blobs/sha256/$config\",\"RepoTags\":[\"${BASE_NAME#docker.io/library/}\"],\"Layers\":[\"blobs/sha256/$layer\"]}]" >"$new/manifest.json"
  tar -C "$new" -cf "$BASE_ARCHIVE.new" .
  mv "$new" "$BASE_DIR"
  mv "$BASE_ARCHIVE.new" "$BASE_ARCHIVE"
}

# make_root FILE PACKAGE...: makes a tar file of a minimal Debian root with these packages.
make_root() {
  local file=$1 packages
  shift
  packages=$(IFS=,; echo "$*")
  mkdir -p "$ENGINE_HOME"
  fetch
  PATH=$(engine_path) SOURCE_DATE_EPOCH=$BASE_EPOCH mmdebstrap --quiet --mode=root --variant=minbase \
    --aptopt='APT::Install-Recommends "false"' --include="$packages" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' trixie "$file" "$DEBIAN_MIRROR" >"$file.log" 2>&1 ||
    { tail -20 "$file.log" >&2; die "mmdebstrap could not make a root with $packages"; }
  rm "$file.log"
}
