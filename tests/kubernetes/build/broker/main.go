// Command redpanda replaces Redpanda where its image is not available: a broker of the Kafka protocol (franz-go's
// kfake) that keeps its log on disk, syncs each produce, and takes its address from the configuration that the
// chart writes.
//
// It is a single broker, not Redpanda: Redpanda's other settings, flags, replicas and metrics are not tested with it.
// It ignores its arguments. Called as rpk, it knows one command: rpk topic delete TOPIC..., which a restore runs in its pod.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"sigs.k8s.io/yaml"
)

// The parts of redpanda.yaml and .bootstrap.yaml that are used.
type configuration struct {
	Redpanda struct {
		DataDirectory      string    `json:"data_directory"`
		KafkaAPI           []address `json:"kafka_api"`
		AdvertisedKafkaAPI []address `json:"advertised_kafka_api"`
		Admin              []address `json:"admin"`
	} `json:"redpanda"`
}

type cluster struct {
	DefaultTopicPartitions int `json:"default_topic_partitions"`
}

type address struct {
	Address string `json:"address"`
	Port    int    `json:"port"`
}

func (a address) String() string { return net.JoinHostPort(a.Address, fmt.Sprint(a.Port)) }

// Tells clients the advertised name instead of the listening address.
type listener struct {
	net.Listener
	name name
}

type name string

func (name) Network() string      { return "tcp" }
func (n name) String() string     { return string(n) }
func (l listener) Addr() net.Addr { return l.name }

func read(file string, into any) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		log.Fatalf("%s: %v", file, err)
	}
}

// Deletes topics; one that does not exist is deleted.
func rpk(arguments []string) error {
	if len(arguments) < 3 || arguments[0] != "topic" || arguments[1] != "delete" {
		return fmt.Errorf("expected: rpk topic delete TOPIC...; got %q", arguments)
	}
	var broker configuration
	read("/etc/redpanda/redpanda.yaml", &broker)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Redpanda.AdvertisedKafkaAPI[0].String()))
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrDeleteTopicsRequest()
	for _, name := range arguments[2:] {
		topic := kmsg.NewDeleteTopicsRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		request.Topics = append(request.Topics, topic)
		// Where older versions of the request have them.
		request.TopicNames = append(request.TopicNames, name)
	}
	patience, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	response, err := request.RequestWith(patience, client)
	if err != nil {
		return err
	}
	for _, topic := range response.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
	}
	return nil
}

func main() {
	if filepath.Base(os.Args[0]) == "rpk" {
		if err := rpk(os.Args[1:]); err != nil {
			log.Fatal(err)
		}
		return
	}
	var broker configuration
	var settings cluster
	read("/etc/redpanda/redpanda.yaml", &broker)
	read("/etc/redpanda/.bootstrap.yaml", &settings)
	own := broker.Redpanda
	if len(own.KafkaAPI) == 0 || len(own.AdvertisedKafkaAPI) == 0 || len(own.Admin) == 0 || settings.DefaultTopicPartitions == 0 {
		log.Fatalf("the configuration lacks an address, or default_topic_partitions: %+v, %+v", own, settings)
	}

	options := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			inner, err := net.Listen(network, own.KafkaAPI[0].String())
			return listener{inner, name(own.AdvertisedKafkaAPI[0].String())}, err
		}),
		kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(settings.DefaultTopicPartitions),
		kfake.DataDir(own.DataDirectory + "/kfake"),
		kfake.SyncWrites(),
		kfake.WithLogger(kfake.BasicLogger(os.Stderr, kfake.LogLevelWarn)),
	}
	running, err := kfake.NewCluster(options...)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/v1/status/ready", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, `{"status":"ready"}`) })
	http.HandleFunc("/public_metrics", func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, "# a stand-in: no metrics") })
	go func() { log.Fatal(http.ListenAndServe(own.Admin[0].String(), nil)) }()
	log.Printf("a stand-in for Redpanda at %s, data in %s", own.AdvertisedKafkaAPI[0], own.DataDirectory)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	running.Close()
}
