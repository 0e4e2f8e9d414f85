// franz-go: see README.md for the commands.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func consumer(broker, topic, group string, options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(options,
		kgo.SeedBrokers(broker), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.SessionTimeout(10*time.Second),
		kgo.HeartbeatInterval(time.Second), kgo.Balancers(kgo.RangeBalancer()))...)
	fail(err)
	return client
}

func read(ctx context.Context, broker, topic, group string, count int) {
	client := consumer(broker, topic, group)
	for count > 0 {
		fetches := client.PollRecords(ctx, count)
		fail(fetches.Err())
		for _, record := range fetches.Records() {
			fmt.Println("record", record.Partition, record.Offset)
			count--
		}
	}
	fail(client.CommitUncommittedOffsets(ctx))
	client.Close()
}

func share(ctx context.Context, broker, topic, group string) {
	client := consumer(broker, topic, group,
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
			partitions := slices.Sorted(slices.Values(assigned[topic]))
			words := []string{"assigned"}
			for _, partition := range partitions {
				words = append(words, strconv.Itoa(int(partition)))
			}
			fmt.Println(strings.Join(words, " "))
		}))
	ctx, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.ReadAll(os.Stdin)
		stop()
	}()
	for ctx.Err() == nil {
		client.PollFetches(ctx)
	}
	client.Close()
}

func groups(ctx context.Context, broker, group string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker))
	fail(err)
	admin := kadm.NewClient(client)
	listed, err := admin.ListGroups(ctx)
	fail(err)
	if slices.Contains(listed.Groups(), group) {
		fmt.Println("listed")
	}
	described, err := admin.DescribeGroups(ctx, group)
	fail(err)
	fmt.Println("state", described[group].State)
	offsets, err := admin.FetchOffsets(ctx, group)
	fail(err)
	var sum int64
	offsets.Each(func(found kadm.OffsetResponse) { sum += found.At })
	fmt.Println("committed", sum)
	client.Close()
}

func transact(ctx context.Context, broker, topic string) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.TransactionalID("t"))
	fail(err)
	if err := client.BeginTransaction(); err != nil {
		fmt.Println("refused", err)
	} else if err := client.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); err != nil {
		fmt.Println("refused", err)
	} else {
		fmt.Println("begun")
	}
	client.CloseAllowingRebalance()
}

func main() {
	ctx := context.Background()
	arguments := os.Args[1:]
	switch arguments[0] {
	case "read":
		count, err := strconv.Atoi(arguments[4])
		fail(err)
		read(ctx, arguments[1], arguments[2], arguments[3], count)
	case "share":
		share(ctx, arguments[1], arguments[2], arguments[3])
	case "groups":
		groups(ctx, arguments[1], arguments[2])
	case "transact":
		transact(ctx, arguments[1], arguments[2])
	}
}
