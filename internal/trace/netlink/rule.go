package netlink

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A reader of a rule follows what its expressions put into the registers, and so
// puts the rule together again as one would write it for nft(8).
type ruleReader struct {
	family    byte
	registers map[uint32]operand
	words     []string
}

// An operand is what a register holds.
type operand struct {
	name  string // ip saddr; "" for a constant
	kind  string // address, port, protocol, interface, number
	value []byte // of a constant
}

// rule writes a rule's expressions as nft(8) does, as far as it knows them.
func rule(family byte, data []byte) string {
	r := &ruleReader{family: family, registers: map[uint32]operand{}}
	for _, element := range attributes(data) {
		name := text(find(element.Data, unix.NFTA_EXPR_NAME))
		r.expression(name, find(element.Data, unix.NFTA_EXPR_DATA))
	}
	return strings.Join(r.words, " ")
}

func (r *ruleReader) say(format string, args ...any) {
	r.words = append(r.words, fmt.Sprintf(format, args...))
}

// expression reads one expression.
func (r *ruleReader) expression(name string, data []byte) {
	e := empty(name)
	if e == nil || expr.Unmarshal(r.family, data, e) != nil {
		r.say("(%s)", name)
		return
	}
	switch e := e.(type) {
	case *expr.Meta:
		r.meta(e)
	case *expr.Payload:
		r.registers[e.DestRegister] = r.payload(e)
	case *expr.Ct:
		r.registers[e.Register] = operand{name: "ct " + ctKey(e.Key), kind: "number"}
	case *expr.Fib:
		r.registers[e.Register] = fib(e)
	case *expr.Bitwise:
		r.bitwise(e)
	case *expr.Immediate:
		r.immediate(e, data)
	case *expr.Cmp:
		r.compare(r.registers[e.Register], e.Op, e.Data)
	case *expr.Range:
		r.inRange(e)
	case *expr.Lookup:
		r.lookup(e)
	default:
		r.act(e)
	}
}

// empty is an expression to read into, nil for one that is not known.
func empty(name string) expr.Any {
	switch name {
	case "meta":
		return &expr.Meta{}
	case "payload":
		return &expr.Payload{}
	case "ct":
		return &expr.Ct{}
	case "fib":
		return &expr.Fib{}
	case "bitwise":
		return &expr.Bitwise{}
	case "immediate":
		return &expr.Immediate{}
	case "cmp":
		return &expr.Cmp{}
	case "range":
		return &expr.Range{}
	case "lookup":
		return &expr.Lookup{}
	case "masq":
		return &expr.Masq{}
	case "nat":
		return &expr.NAT{}
	case "redir":
		return &expr.Redir{}
	case "counter":
		return &expr.Counter{}
	case "reject":
		return &expr.Reject{}
	}
	return nil
}

// act is an expression that does something with the packet.
func (r *ruleReader) act(e expr.Any) {
	switch e := e.(type) {
	case *expr.Counter:
		r.say("counter")
	case *expr.Masq:
		r.say("masquerade")
	case *expr.Reject:
		r.say("reject")
	case *expr.Redir:
		r.say("redirect%s", r.destination(0, e.RegisterProtoMin))
	case *expr.NAT:
		verb := "snat"
		if e.Type == expr.NATTypeDestNAT {
			verb = "dnat"
		}
		if r.family == unix.NFPROTO_INET && e.Family == unix.NFPROTO_IPV4 {
			verb += " ip"
		}
		r.say("%s%s", verb, r.destination(e.RegAddrMin, e.RegProtoMin))
	}
}

// destination is where a packet is sent instead: address and port, out of registers.
func (r *ruleReader) destination(address, port uint32) string {
	to := ""
	if a, ok := r.registers[address]; ok && address != 0 {
		to = ip(a.value)
	}
	if p, ok := r.registers[port]; ok && port != 0 && len(p.value) >= 2 {
		to += ":" + strconv.Itoa(int(binary.BigEndian.Uint16(p.value)))
	}
	if to == "" {
		return ""
	}
	return " to " + to
}

// meta puts what the kernel knows about a packet into a register.
func (r *ruleReader) meta(e *expr.Meta) {
	if e.SourceRegister {
		r.say("meta %s set", metaKey(e.Key).name)
		return
	}
	r.registers[e.Register] = metaKey(e.Key)
}

func metaKey(key expr.MetaKey) operand {
	switch key {
	case expr.MetaKeyIIFNAME:
		return operand{name: "iifname", kind: "interface"}
	case expr.MetaKeyOIFNAME:
		return operand{name: "oifname", kind: "interface"}
	case expr.MetaKeyIIF:
		return operand{name: "iif", kind: "number"}
	case expr.MetaKeyOIF:
		return operand{name: "oif", kind: "number"}
	case expr.MetaKeyL4PROTO:
		return operand{name: "meta l4proto", kind: "protocol"}
	case expr.MetaKeyNFPROTO:
		return operand{name: "meta nfproto", kind: "family"}
	case expr.MetaKeyMARK:
		return operand{name: "meta mark", kind: "number"}
	}
	return operand{name: "meta key " + strconv.Itoa(int(key))}
}

// payload is a part of the packet, by the name that it has where it stands.
func (r *ruleReader) payload(e *expr.Payload) operand {
	const network, transport = uint32(expr.PayloadBaseNetworkHeader),
		uint32(expr.PayloadBaseTransportHeader)
	at := [3]uint32{uint32(e.Base), e.Offset, e.Len}
	if at[0] == network && e.Len <= 4 && e.Len > 0 { // fewer bytes are a prefix
		switch e.Offset {
		case 12:
			return operand{name: "ip saddr", kind: "address"}
		case 16:
			return operand{name: "ip daddr", kind: "address"}
		}
	}
	switch at {
	case [3]uint32{network, 9, 1}:
		return operand{name: "ip protocol", kind: "protocol"}
	case [3]uint32{network, 8, 16}:
		return operand{name: "ip6 saddr", kind: "address"}
	case [3]uint32{network, 24, 16}:
		return operand{name: "ip6 daddr", kind: "address"}
	case [3]uint32{transport, 0, 2}:
		return operand{name: r.transport() + " sport", kind: "port"}
	case [3]uint32{transport, 2, 2}:
		return operand{name: r.transport() + " dport", kind: "port"}
	}
	return operand{name: fmt.Sprintf("@%d,%d,%d", e.Base, 8*e.Offset, 8*e.Len)}
}

// transport is the protocol that the rule has asked for before.
func (r *ruleReader) transport() string {
	for i := len(r.words) - 1; i >= 0; i-- {
		for _, p := range []string{"tcp", "udp"} {
			if strings.HasSuffix(r.words[i], " "+p) {
				return p
			}
		}
	}
	return "th"
}

func ctKey(key expr.CtKey) string {
	switch key {
	case expr.CtKeySTATE:
		return "state"
	case expr.CtKeySTATUS:
		return "status"
	case expr.CtKeyMARK:
		return "mark"
	}
	return "key " + strconv.Itoa(int(key))
}

func fib(e *expr.Fib) operand {
	of := "daddr"
	if e.FlagSADDR {
		of = "saddr"
	}
	if e.ResultADDRTYPE {
		return operand{name: "fib " + of + " type", kind: "addrtype"}
	}
	return operand{name: "fib " + of + " oif", kind: "number"}
}

// bitwise masks a register: an address then has a prefix length.
func (r *ruleReader) bitwise(e *expr.Bitwise) {
	o := r.registers[e.SourceRegister]
	if ones := prefix(e.Mask); o.kind == "address" && ones >= 0 {
		o.kind = "/" + strconv.Itoa(ones)
	} else if o.name != "ct state" && o.name != "ct status" {
		o.name += " & 0x" + fmt.Sprintf("%x", e.Mask)
	} else {
		o.kind, o.value = "bits", e.Mask
	}
	r.registers[e.DestRegister] = o
}

// prefix is how many bits a mask begins with, -1 where ones follow zeros.
func prefix(mask []byte) int {
	ones, ended := 0, false
	for _, b := range mask {
		for i := 7; i >= 0; i-- {
			switch bit := b >> i & 1; {
			case bit == 0:
				ended = true
			case ended:
				return -1
			default:
				ones++
			}
		}
	}
	return ones
}

// immediate is a constant, or a verdict.
func (r *ruleReader) immediate(e *expr.Immediate, data []byte) {
	if e.Register != unix.NFT_REG_VERDICT {
		r.registers[e.Register] = operand{value: e.Data}
		return
	}
	v := &expr.Verdict{}
	if expr.Unmarshal(r.family, data, v) != nil {
		return
	}
	names := map[expr.VerdictKind]string{
		expr.VerdictAccept: "accept", expr.VerdictDrop: "drop", expr.VerdictReturn: "return",
		expr.VerdictContinue: "continue", expr.VerdictJump: "jump", expr.VerdictGoto: "goto",
	}
	r.say("%s", strings.TrimSpace(names[v.Kind]+" "+v.Chain))
}

// compare is a condition: the rule goes on where it holds.
func (r *ruleReader) compare(o operand, op expr.CmpOp, data []byte) {
	zero := len(bytes.Trim(data, "\x00")) == 0
	some := op == expr.CmpOpNeq && zero
	if o.kind == "bits" && op == expr.CmpOpEq && zero {
		r.say("%s ! %s", o.name, stateBits(o)) // none of them
		return
	}
	if o.kind == "bits" && (some || op == expr.CmpOpEq && bytes.Equal(data, o.value)) {
		r.say("%s %s", o.name, stateBits(o))
		return
	}
	sign := map[expr.CmpOp]string{
		expr.CmpOpNeq: " !=", expr.CmpOpLt: " <", expr.CmpOpLte: " <=",
		expr.CmpOpGt: " >", expr.CmpOpGte: " >=",
	}[op]
	if o.kind == "address" && len(data) < 4 { // a prefix of whole bytes is not masked
		bits := 8 * len(data)
		data = append(bytes.Clone(data), make([]byte, 4-len(data))...)
		o.kind = "/" + strconv.Itoa(bits)
	}
	r.say("%s%s %s", o.name, sign, o.text(data))
}

func (r *ruleReader) inRange(e *expr.Range) {
	o := r.registers[e.Register]
	sign := ""
	if e.Op == expr.CmpOpNeq {
		sign = " !="
	}
	r.say("%s%s %s-%s", o.name, sign, o.text(e.FromData), o.text(e.ToData))
}

func (r *ruleReader) lookup(e *expr.Lookup) {
	sign := ""
	if e.Invert {
		sign = " !="
	}
	r.say("%s%s @%s", r.registers[e.SourceRegister].name, sign, e.SetName)
}
