package lab

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func serving(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return New(server.URL, server.URL+"/")
}

func TestAProblemBecomesASentenceWithItsFields(t *testing.T) {
	client := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"title":"Invalid request","detail":"The rule has mistakes.","errors":[{"field":"pattern (line 5)"}]}`)
	})
	_, err := client.PushRule(context.Background(), "r", "id: r")
	if err == nil || !strings.Contains(err.Error(), "The rule has mistakes.") || !strings.Contains(err.Error(), "line 5") {
		t.Fatal(err)
	}
}

func TestWhatIsNotThereIsGone(t *testing.T) {
	client := serving(t, http.NotFound)
	if _, err := client.Rule(context.Background(), "r"); !errors.Is(err, ErrGone) {
		t.Fatal(err)
	}
}

func TestAnEmptyLimitIsGone(t *testing.T) {
	client := serving(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"limit":null}`) })
	if _, err := client.Limit(context.Background()); !errors.Is(err, ErrGone) {
		t.Fatal(err)
	}
}

func TestALargeLimitIsWrittenWithoutAnExponent(t *testing.T) {
	var seen string
	client := serving(t, func(_ http.ResponseWriter, r *http.Request) { seen = r.URL.RawQuery })
	if err := client.SetLimit(context.Background(), Limit{RPS: 1_000_000, Burst: 5}); err != nil || seen != "burst=5&rps=1000000" {
		t.Fatal(err, seen)
	}
}

func TestAnIDIsOneSegmentOfThePath(t *testing.T) {
	var seen string
	client := serving(t, func(_ http.ResponseWriter, r *http.Request) { seen = r.URL.EscapedPath() })
	if err := client.WithdrawRule(context.Background(), "../limit"); err != nil || seen != "/waf/..%2Flimit" {
		t.Fatal(err, seen)
	}
}

func TestEachSideGetsItsOwnToken(t *testing.T) {
	var seen []string
	note := func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		_, _ = io.WriteString(w, "{}")
	}
	room, edge := httptest.NewServer(http.HandlerFunc(note)), httptest.NewServer(http.HandlerFunc(note))
	defer room.Close()
	defer edge.Close()
	client := New(room.URL, edge.URL)
	client.Token, client.SwitchToken = "room", "edge"
	_, _ = client.Automation(context.Background())
	_ = client.ClearLimit(context.Background())
	if strings.Join(seen, ",") != "Bearer room,Bearer edge" {
		t.Fatal(seen)
	}
}

func TestTheFirewallIsSwitchedByAQuery(t *testing.T) {
	var seen string
	client := serving(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Method + " " + r.URL.String()
		_, _ = io.WriteString(w, `{"enabled":true,"rules":[]}`)
	})
	if err := client.SwitchFirewall(context.Background(), false); err != nil || seen != "PUT /waf?enabled=false" {
		t.Fatal(err, seen)
	}
	if found, err := client.Firewall(context.Background()); err != nil || !found.Enabled {
		t.Fatal(err, found)
	}
}

func TestTheControlRoomIsToldWhoActsOnlyIfSomebodyIsNamed(t *testing.T) {
	var seen []string
	note := func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("X-Person"))
		_, _ = io.WriteString(w, "{}")
	}
	room, edge := httptest.NewServer(http.HandlerFunc(note)), httptest.NewServer(http.HandlerFunc(note))
	defer room.Close()
	defer edge.Close()
	client := New(room.URL, edge.URL)
	for _, person := range []string{"", "ada"} {
		client.Person = person
		_, _ = client.Automation(context.Background())
		_ = client.ClearLimit(context.Background())
	}
	if strings.Join(seen, ",") != ",terraform,ada,ada" {
		t.Fatal(seen)
	}
}

func TestWhatIsDeclaredIsReadWithItsOwner(t *testing.T) {
	var seen string
	client := serving(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Method + " " + r.URL.EscapedPath()
		if strings.Contains(seen, "guardrails") {
			_, _ = io.WriteString(w, `{"name":"freeze","why":"the audit"}`)
			return
		}
		_, _ = io.WriteString(w, `{"schedule":{"zone":"UTC"},"owner":"file","in_force":true}`)
	})
	found, err := client.Declared(context.Background(), Schedules, "a/b")
	if err != nil || !found.OfFile || string(found.Fields) != `{"zone":"UTC"}` || seen != "GET /api/v1/oncall/schedules/a%2Fb" {
		t.Fatal(err, found, seen)
	}
	found, err = client.Declared(context.Background(), Guardrails, "freeze")
	if err != nil || found.OfFile || !strings.Contains(string(found.Fields), `"why":"the audit"`) {
		t.Fatal(err, found)
	}
	if err := client.Withdraw(context.Background(), Policies, "tickets"); err != nil || seen != "DELETE /api/v1/oncall/policies/tickets" {
		t.Fatal(err, seen)
	}
}
