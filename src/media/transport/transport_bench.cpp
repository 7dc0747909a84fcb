// What SRTP costs per packet of 1,200 bytes, under either profile.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "core/bytes.hpp"
#include "media/transport/srtp.hpp"

namespace media::transport {
namespace {

constexpr std::size_t kSize = 1200;

SrtpKeys some_keys(SrtpProfile profile) {
    core::Bytes material(keying_material_size(profile));
    core::random_bytes(material);
    return split_keying_material(profile, material);
}

void next_packet(std::span<std::uint8_t> packet, std::uint16_t sequence) {
    packet[0] = 0x80;
    packet[1] = 96;
    packet[2] = static_cast<std::uint8_t>(sequence >> 8);
    packet[3] = static_cast<std::uint8_t>(sequence);
    packet[11] = 7;
}

void protect(benchmark::State& state, SrtpProfile profile) {
    const SrtpKeys keys = some_keys(profile);
    SrtpSession session(profile, keys.client, keys.server);
    std::array<std::uint8_t, kSize + SrtpSession::kMaxOverhead> buffer{};
    std::uint16_t sequence = 0;
    for (auto _ : state) {
        next_packet(buffer, ++sequence);
        benchmark::DoNotOptimize(session.protect_rtp(buffer, kSize));
    }
    if (session.outbound().other + session.outbound().replayed > 0) state.SkipWithError("packets were refused");
    state.SetItemsProcessed(state.iterations());
}

void protect_and_unprotect(benchmark::State& state, SrtpProfile profile) {
    const SrtpKeys keys = some_keys(profile);
    SrtpSession server(profile, keys.client, keys.server);
    SrtpSession client(profile, keys.server, keys.client);
    std::array<std::uint8_t, kSize + SrtpSession::kMaxOverhead> buffer{};
    std::uint16_t sequence = 0;
    for (auto _ : state) {
        next_packet(buffer, ++sequence);
        const auto packet = server.protect_rtp(buffer, kSize);
        if (!packet || !client.unprotect_rtp(*packet)) state.SkipWithError("packet was refused");
    }
    state.SetItemsProcessed(state.iterations());
}

/// As a server does: a packet of each of so many peers in turn, which no cache holds all of.
void many_peers(benchmark::State& state, SrtpProfile profile) {
    std::vector<std::unique_ptr<SrtpSession>> peers;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        const SrtpKeys keys = some_keys(profile);
        peers.push_back(std::make_unique<SrtpSession>(profile, keys.client, keys.server));
    }
    std::array<std::uint8_t, kSize + SrtpSession::kMaxOverhead> buffer{};
    std::size_t next = 0;
    std::uint16_t sequence = 0;
    for (auto _ : state) {
        if (next == 0) ++sequence;
        next_packet(buffer, sequence);
        benchmark::DoNotOptimize(peers[next]->protect_rtp(buffer, kSize));
        next = (next + 1) % peers.size();
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(many_peers, gcm, SrtpProfile::aead_aes_128_gcm)->Arg(1000);
BENCHMARK_CAPTURE(many_peers, counter_mode, SrtpProfile::aes128_cm_sha1_80)->Arg(1000);
BENCHMARK_CAPTURE(protect, gcm, SrtpProfile::aead_aes_128_gcm);
BENCHMARK_CAPTURE(protect, counter_mode, SrtpProfile::aes128_cm_sha1_80);
BENCHMARK_CAPTURE(protect_and_unprotect, gcm, SrtpProfile::aead_aes_128_gcm);
BENCHMARK_CAPTURE(protect_and_unprotect, counter_mode, SrtpProfile::aes128_cm_sha1_80);

}  // namespace
}  // namespace media::transport
