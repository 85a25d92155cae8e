//go:build tools

// Package oauth2proxy names the program that the lab builds, so that go.sum covers what it is made of.
package oauth2proxy

import _ "github.com/oauth2-proxy/oauth2-proxy/v7"
