#include "cli/delivery.h"

#include <algorithm>
#include <map>
#include <string>

#include "cli/paths.h"
#include "cli/temporary_file.h"

namespace p11mime::cli {

namespace {

template <class Work>
void attempt(Parcel& parcel, Work work) {
    if (parcel.failure) return;
    try {
        work();
    } catch (const Error& error) {
        parcel.failure = error;
    }
}

// Directories are synced once, however many files they got.
class Directories {
  public:
    void add(const Output& output) {
        if (const std::string path = output.path(); !path.empty()) outcomes_.try_emplace(parent_directory(path));
    }
    void sync() {
        for (auto& [path, failure] : outcomes_) {
            try {
                sync_directory(path);
            } catch (const Error& error) {
                failure = error;
            }
        }
    }
    std::optional<Error> failure_of(const Output& output) const {
        const auto found = outcomes_.find(parent_directory(output.path()));
        return found == outcomes_.end() ? std::nullopt : found->second;
    }

  private:
    std::map<std::string, std::optional<Error>> outcomes_;
};

std::span<Output* const> all_but_last(const Parcel& parcel) {
    return std::span(parcel.outputs).first(parcel.outputs.empty() ? 0 : parcel.outputs.size() - 1);
}

std::span<Output* const> last(const Parcel& parcel) {
    return std::span(parcel.outputs).last(parcel.outputs.empty() ? 0 : 1);
}

// One round commits some outputs of every parcel and makes them last.
void commit_round(std::span<Parcel> parcels, std::span<Output* const> (*part)(const Parcel&)) {
    Directories directories;
    for (Parcel& parcel : parcels)
        attempt(parcel, [&] {
            for (Output* output : part(parcel)) {
                output->commit();
                directories.add(*output);
            }
        });
    directories.sync();
    for (Parcel& parcel : parcels)
        for (const Output* output : part(parcel))
            if (!parcel.failure) parcel.failure = directories.failure_of(*output);
}

}  // namespace

void sync_parcels(std::span<Parcel> parcels) {
    for (const Parcel& parcel : parcels)
        for (Output* output : parcel.outputs)
            output->write_out();
    for (Parcel& parcel : parcels)
        attempt(parcel, [&] {
            for (Output* output : parcel.outputs)
                output->sync();
        });
}

void commit_parcels(std::span<Parcel> parcels) {
    for (Parcel& parcel : parcels)
        std::stable_partition(parcel.outputs.begin(), parcel.outputs.end(),
                              [](const Output* output) { return output->revocable(); });
    commit_round(parcels, all_but_last);
    commit_round(parcels, last);
    for (Parcel& parcel : parcels)
        if (parcel.failure)
            for (auto output = parcel.outputs.rbegin(); output != parcel.outputs.rend(); ++output)
                (*output)->retract();
}

void deliver(const std::vector<Output*>& outputs) {
    Parcel parcel{.outputs = outputs, .failure = std::nullopt};
    sync_parcels({&parcel, 1});
    commit_parcels({&parcel, 1});
    if (parcel.failure) throw Error(*parcel.failure);
}

}  // namespace p11mime::cli
