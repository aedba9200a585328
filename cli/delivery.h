#pragma once

#include <optional>
#include <span>
#include <vector>

#include "cli/output.h"
#include "mime/error.h"

namespace p11mime::cli {

/// Parcel is outputs that appear all or none, the one that matters last.
struct Parcel {
    std::vector<Output*> outputs;
    std::optional<Error> failure;  ///< why none of them is there
};

/// sync_parcels has what was staged for many parcels written to disk together; a parcel where that fails is marked.
void sync_parcels(std::span<Parcel> parcels);

/// commit_parcels commits the outputs of synced parcels: files before what is written through, those before the last
/// of each parcel on disk before any last one. Where one fails, those of its parcel before it are retracted.
void commit_parcels(std::span<Parcel> parcels);

/// deliver does both for one parcel. Throws its failure.
void deliver(const std::vector<Output*>& outputs);

}  // namespace p11mime::cli
