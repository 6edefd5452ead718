// Command registry serves images from OCI layouts (folders with an index.json), whatever registry their names begin
// with, as a mirror that containerd asks instead of the real ones. Nothing can be pushed.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5000", "the address to listen on")
	flag.Parse()
	if flag.NArg() == 0 {
		log.Fatal("usage: registry [-listen ADDRESS] LAYOUT...")
	}
	log.Fatal(http.ListenAndServe(*listen, registry(flag.Args())))
}

// The layouts to look in, first one first. Each is read per request: an image may be written anew meanwhile.
type registry []string

var (
	manifestPath = regexp.MustCompile(`^/v2/(.+)/manifests/([^/]+)$`)
	blobPath     = regexp.MustCompile(`^/v2/.+/blobs/(sha256:[0-9a-f]{64})$`)
	digest       = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func (r registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	log.Print(request.Method, " ", request.URL)
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		http.Error(w, "images can only be read", http.StatusMethodNotAllowed)
		return
	}
	path := request.URL.Path
	if path == "/v2/" {
		return
	}
	if parts := manifestPath.FindStringSubmatch(path); parts != nil {
		// containerd says which registry it would have asked.
		r.manifest(w, request, request.URL.Query().Get("ns")+"/"+parts[1], parts[2])
	} else if parts := blobPath.FindStringSubmatch(path); parts != nil {
		r.blob(w, request, parts[1])
	} else {
		http.NotFound(w, request)
	}
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations"`
}

// The name that a layout gives an image (OCI image layout, annotations).
const nameAnnotation = "org.opencontainers.image.ref.name"

func (r registry) manifest(w http.ResponseWriter, request *http.Request, name, reference string) {
	found, err := r.find(func(image descriptor) bool {
		if digest.MatchString(reference) {
			return image.Digest == reference
		}
		return image.Annotations[nameAnnotation] == name+":"+reference
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", found.MediaType)
	w.Header().Set("Docker-Content-Digest", found.Digest)
	r.blob(w, request, found.Digest)
}

func (r registry) find(wanted func(descriptor) bool) (descriptor, error) {
	for _, layout := range r {
		text, err := os.ReadFile(filepath.Join(layout, "index.json"))
		if err != nil {
			return descriptor{}, err
		}
		var index struct {
			Manifests []descriptor `json:"manifests"`
		}
		if err := json.Unmarshal(text, &index); err != nil {
			return descriptor{}, fmt.Errorf("%s: %w", layout, err)
		}
		for _, image := range index.Manifests {
			if wanted(image) {
				return image, nil
			}
		}
	}
	return descriptor{}, errors.New("no layout has this image")
}

func (r registry) blob(w http.ResponseWriter, request *http.Request, digest string) {
	file := filepath.Join("blobs", filepath.FromSlash(strings.Replace(digest, ":", "/", 1)))
	for _, layout := range r {
		path := filepath.Join(layout, file)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/octet-stream")
		}
		http.ServeFile(w, request, path)
		return
	}
	http.NotFound(w, request)
}
