// The provider `srelab`: what can be written of a running lab through its APIs, as resources.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/sre-lab/terraform-provider-srelab/internal/provider"
)

// Address is where configurations look for this provider; a mirror on this machine has it.
const Address = "registry.opentofu.org/sre-lab/srelab"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger")
	flag.Parse()
	options := providerserver.ServeOpts{Address: Address, Debug: *debug}
	if err := providerserver.Serve(context.Background(), provider.New, options); err != nil {
		log.Fatal(err)
	}
}
