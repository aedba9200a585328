#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "mime/multipart.h"

namespace p11mime::cms::smime {

/// MultipartLevels is the multiparts inside each other that a walk stands in, outermost first, as far as they stand in
/// the same text.
struct MultipartLevels {
    struct Level {
        std::string boundary;
        std::uint64_t inner = 0;  ///< delimiters of multiparts inside whose boundaries start with this one
    };
    std::vector<Level> levels;
};

/// MultipartLevel is a multipart among them for as long as the walk stands in it.
class MultipartLevel {
  public:
    MultipartLevel(MultipartLevels& around, std::string boundary) : all_(around.levels), at_(all_.size()) {
        all_.push_back({std::move(boundary)});
    }
    ~MultipartLevel() { all_.resize(at_); }
    MultipartLevel(const MultipartLevel&) = delete;
    MultipartLevel& operator=(const MultipartLevel&) = delete;

    /// next moves to the next part of this multipart, and counts the delimiter before it.
    bool next(mime::Multipart& parts) {
        const bool is_part = parts.next();
        if (parts.delimiter().empty()) return is_part;
        for (std::size_t i = 0; i < at_; ++i)
            if (all_[at_].boundary.starts_with(all_[i].boundary)) ++all_[i].inner;
        return is_part;
    }

    /// inner is how many lines near its delimiters are those of multiparts inside.
    std::uint64_t inner() const { return all_[at_].inner; }

  private:
    std::vector<MultipartLevels::Level>& all_;
    std::size_t at_;
};

/// OtherText leaves the multiparts around out for as long as a walk stands in what is decoded from them.
class OtherText {
  public:
    explicit OtherText(MultipartLevels& around) : around_(around), kept_(std::exchange(around.levels, {})) {}
    ~OtherText() { around_.levels = std::move(kept_); }
    OtherText(const OtherText&) = delete;
    OtherText& operator=(const OtherText&) = delete;

  private:
    MultipartLevels& around_;
    std::vector<MultipartLevels::Level> kept_;
};

}  // namespace p11mime::cms::smime
