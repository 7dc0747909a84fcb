// Counts for /metrics that many threads add to and one reads now and then. Each thread has a piece of its own, as far
// as there are enough, so adding takes no lock and moves no cache line between cores; reading sums the pieces up.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace core {

/// Pieces of a count; more threads than that share.
inline constexpr std::size_t kCountPieces = 8;

/// The same for a thread as long as it lives.
inline std::size_t count_piece() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % kCountPieces;
    return mine;
}

/// How long things took: how many up to each bound, and the sum. Any thread.
class LatencyHistogram {
  public:
    using Micros = std::chrono::microseconds;
    /// Upper bounds, each included; a last bucket has none. From a read of memory to a provider's patience.
    static constexpr std::array<Micros, 14> kBounds{
        Micros{500},       Micros{1000},      Micros{2500},      Micros{5000},      Micros{10'000},
        Micros{25'000},    Micros{50'000},    Micros{100'000},   Micros{250'000},   Micros{500'000},
        Micros{1'000'000}, Micros{2'500'000}, Micros{5'000'000}, Micros{10'000'000}};

    void add(std::chrono::steady_clock::duration time) {
        const auto micros = std::chrono::duration_cast<Micros>(time);
        std::size_t bucket = 0;
        while (bucket < kBounds.size() && micros > kBounds[bucket]) ++bucket;
        auto& piece = pieces_[count_piece()];
        piece.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
        piece.micros.fetch_add(static_cast<std::uint64_t>(micros.count()), std::memory_order_relaxed);
    }

    struct Sums {
        std::array<std::uint64_t, kBounds.size() + 1> buckets{};  ///< Of each by itself.
        double seconds = 0;
        std::uint64_t count() const {
            std::uint64_t all = 0;
            for (const auto bucket : buckets) all += bucket;
            return all;
        }
    };
    Sums sums() const {
        Sums sums;
        std::uint64_t micros = 0;
        for (const auto& piece : pieces_) {
            for (std::size_t i = 0; i < sums.buckets.size(); ++i) {
                sums.buckets[i] += piece.buckets[i].load(std::memory_order_relaxed);
            }
            micros += piece.micros.load(std::memory_order_relaxed);
        }
        sums.seconds = static_cast<double>(micros) / 1e6;
        return sums;
    }

  private:
    struct alignas(64) Piece {
        std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets{};
        std::atomic<std::uint64_t> micros{0};
    };
    std::array<Piece, kCountPieces> pieces_;
};

/// How often something happened, by one of `N` reasons. Any thread.
template <std::size_t N>
class PiecedCounts {
  public:
    void add(std::size_t which) { pieces_[count_piece()].counts[which].fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t sum(std::size_t which) const {
        std::uint64_t all = 0;
        for (const auto& piece : pieces_) all += piece.counts[which].load(std::memory_order_relaxed);
        return all;
    }

  private:
    struct alignas(64) Piece {
        std::array<std::atomic<std::uint64_t>, N> counts{};
    };
    std::array<Piece, kCountPieces> pieces_;
};

}  // namespace core
