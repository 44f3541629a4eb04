// SPDX-License-Identifier: Apache-2.0
#include "guest/reconcile.hpp"

#include <algorithm>
#include <functional>
#include <memory>

#include <beeline/guest/parse.hpp>
#include <beeline/kernel/map_in_map.hpp>
#include <beeline/kernel/netns.hpp>

#include "guest/listeners.hpp"
#include "guest/place.hpp"
#include "guest/wiring.hpp"

namespace beeline::guest {
namespace {

/// What is done on the way out unless all went well, in reverse order.
class Undo {
public:
    Undo() = default;
    Undo(const Undo &) = delete;
    Undo &operator=(const Undo &) = delete;
    ~Undo() {
        for (auto step = steps_.rbegin(); step != steps_.rend(); ++step)
            (*step)();
    }
    void add(std::function<void()> step) { steps_.push_back(std::move(step)); }
    void all_went_well() { steps_.clear(); }

private:
    std::vector<std::function<void()>> steps_;
};

/// A live guest's rules as they judge, to put them back.
Result<Prepared> live_rules(const Live &live, const Record &record) {
    BL_TRY(const auto tables, kernel::MapInMap::share(live.objects.fd("guest_tables")));
    BL_TRY(auto in, tables.lookup(record.slot * 2 + BL_GUEST_IN));
    BL_TRY(auto out, tables.lookup(record.slot * 2 + BL_GUEST_OUT));
    if (!in || !out)
        return fail(Kind::state, 0, "guest " + record.name + " has no rules in the kernel");
    return Prepared{.ruled = record.ruled, .in = std::move(*in), .out = std::move(*out)};
}

class Reconciliation {
public:
    Reconciliation(Live &live, const Difference &difference, const std::vector<Uplink> &uplinks, UpReport &report)
        : live_(live), difference_(difference), uplinks_(uplinks), report_(report), mtu_(guest_mtu(uplinks)) {}

    Result<> run() {
        BL_CHECK(prepare_uplinks());
        for (const Policy *policy : difference_.kept)
            BL_CHECK(prepare_change(*policy));
        std::vector<const Policy *> at_once, later;
        for (const Policy *policy : difference_.added)
            (collides(*policy) ? later : at_once).push_back(policy);
        BL_CHECK(make_all(at_once));
        BL_CHECK(make_room());
        later.insert(later.begin(), difference_.rewired.begin(), difference_.rewired.end());
        BL_CHECK(make_all(later));
        return commit();
    }

private:
    Result<> prepare_uplinks() {
        BL_TRY(auto links, kernel::RtNetlink::open());
        std::vector<Uplink> old;
        for (const std::uint32_t ifindex : attached_uplinks(live_.directory))
            if (const auto device = links.device(static_cast<int>(ifindex)))
                old.push_back({.name = device->name, .ifindex = ifindex});
        BL_TRY(const auto known, live_.objects.map<UplinkMap>("guest_uplinks"));
        for (Uplink &uplink : old)
            if (const auto facts = known.lookup(uplink.ifindex); facts && *facts)
                uplink.facts = **facts;
        undo_.add([this, old] { (void)set_uplinks(old, live_.objects, live_.directory); });
        BL_TRY(const auto changed, set_uplinks(uplinks_, live_.objects, live_.directory));
        changed_ |= !changed.empty();
        return {};
    }

    Result<> prepare_change(const Policy &policy) {
        const Record &record = *live_.find(policy.name);
        BL_TRY(Prepared rules, prepare_rules(policy, &record.ruled, live_.numbers, live_.objects));
        const std::uint32_t slot = record.slot;
        if (!changes(record, policy, rules.ruled)) {
            drop_rules(rules.ruled, &record.ruled, live_.numbers, live_.objects);
            return {};
        }
        Record next = record;
        next.ruled = rules.ruled;
        next.masquerade = policy.masquerade;
        next.publish = policy.publish;
        next.runtime = false;
        undo_.add([this, slot, ruled = rules.ruled] {
            if (!(live_.guests.at(slot).ruled == ruled)) // else it is done
                drop_change(live_, slot, ruled);
        });
        BL_CHECK(stage_change(live_, next, rules));
        changing_.push_back(slot);
        report_.changed.push_back(policy.name);
        return {};
    }

    /// With a guest that has to go first.
    bool collides(const Policy &policy) const {
        const auto with = [&policy](const Record &old) {
            const Asked &asked = old.asked;
            const bool inside = asked.place == policy.place && asked.device == policy.device;
            return inside || asked.host_device == policy.host_device ||
                   (policy.address4 && asked.address4 && policy.address4->address == asked.address4->address) ||
                   (policy.address6 && asked.address6 && policy.address6->address == asked.address6->address);
        };
        return std::ranges::any_of(old_, with) || std::ranges::any_of(leaving(), with);
    }

    /// Guests whose devices go: removed ones, and those that are wired anew.
    std::vector<Record> leaving() const {
        std::vector<Record> records;
        for (const std::uint32_t slot : difference_.removed)
            if (const auto found = live_.guests.find(slot); found != live_.guests.end())
                records.push_back(found->second);
        for (const Policy *policy : difference_.rewired)
            if (const Record *record = live_.find(policy->name))
                records.push_back(*record);
        return records;
    }

    /// Takes down what goes. From here on a failure makes it again, by what is remembered of it.
    Result<> make_room() {
        for (const Record &record : leaving()) {
            auto rules = live_rules(live_, record);
            old_.push_back(record);
            old_ruled_[record.name] = record.ruled;
            if (rules)
                undo_.add([this, record, kept = std::make_shared<Prepared>(std::move(*rules))] {
                    bring_back(record, *kept);
                });
        }
        return unwire(live_, old_);
    }

    void bring_back(const Record &record, const Prepared &rules) {
        Wanted wanted{.name = record.name,
                      .runtime = record.runtime,
                      .asked = record.asked,
                      .masquerade = record.masquerade,
                      .publish = record.publish,
                      .rules = {.ruled = rules.ruled, .in = {}, .out = {}}};
        auto in = rules.in.duplicate(), out = rules.out.duplicate();
        if (!in || !out)
            return;
        wanted.rules.in = *std::move(in);
        wanted.rules.out = *std::move(out);
        (void)make_and_start(live_, wanted, record.wired.mtu);
        (void)live_.objects.next_generation();
    }

    /// Some at a time: each holds two files open until its rules are put.
    Result<> make_all(const std::vector<const Policy *> &policies) {
        constexpr std::size_t kTogether = 64;
        undo_.add([this, from = made_.size()] { unmake_from(from); });
        for (std::size_t first = 0; first < policies.size(); first += kTogether) {
            std::vector<Prepared> prepared;
            std::vector<std::pair<std::uint32_t, const Prepared *>> rules;
            prepared.reserve(kTogether); // pointers to them stay
            for (std::size_t i = first; i < std::min(first + kTogether, policies.size()); ++i) {
                auto made = make_one(*policies[i]);
                if (!made)
                    return std::unexpected(std::move(made).error());
                prepared.push_back(*std::move(made));
                rules.emplace_back(made_.back().slot, &prepared.back());
            }
            BL_CHECK(put_rules(rules, live_.objects));
        }
        return {};
    }

    /// Rules of the guest that is wired anew, whose counters go on.
    const Ruled *before(const std::string &name) const {
        const auto found = old_ruled_.find(name);
        return found == old_ruled_.end() ? nullptr : &found->second;
    }

    void unmake_from(std::size_t first) {
        const std::vector<Record> records(made_.begin() + static_cast<std::ptrdiff_t>(first), made_.end());
        (void)unwire(live_, records);
        for (const Record &record : records)
            drop_rules(record.ruled, before(record.name), live_.numbers, live_.objects);
        made_.resize(first);
    }

    Result<Prepared> make_one(const Policy &policy) {
        Wanted wanted{.name = policy.name,
                      .asked = asked_of(policy),
                      .masquerade = policy.masquerade,
                      .publish = policy.publish,
                      .rules = {}};
        BL_TRY(wanted.rules, prepare_rules(policy, before(policy.name), live_.numbers, live_.objects));
        auto record = make(live_, wanted, mtu_);
        if (!record) {
            drop_rules(wanted.rules.ruled, before(policy.name), live_.numbers, live_.objects);
            return std::unexpected(std::move(record).error());
        }
        made_.push_back(*std::move(record));
        (before(policy.name) ? report_.rewired : report_.added).push_back(policy.name);
        return std::move(wanted.rules);
    }

    Result<> commit() {
        for (const Record &record : made_)
            BL_CHECK(start(live_, record));
        for (const std::uint32_t slot : changing_)
            BL_CHECK(commit_change(live_, slot));
        undo_.all_went_well();
        for (const Record &record : old_) {
            const Record *now = live_.find(record.name);
            drop_rules(record.ruled, now ? &now->ruled : nullptr, live_.numbers, live_.objects);
            if (!now)
                report_.removed.push_back(record.name);
        }
        return changed_ || !made_.empty() ? live_.objects.next_generation() : Result<>{};
    }

    Live &live_;
    const Difference &difference_;
    const std::vector<Uplink> &uplinks_;
    UpReport &report_;
    std::uint32_t mtu_;
    bool changed_ = false;
    std::vector<Record> old_, made_;
    std::map<std::string, Ruled> old_ruled_;
    std::vector<std::uint32_t> changing_;
    Undo undo_; ///< Last, for its steps use the others.
};

std::unexpected<Error> both(const Policy &a, const Policy &b, const std::string &what) {
    return fail(Kind::conflict, 0, "guests " + a.name + " and " + b.name + " have the same " + what);
}

template <class T>
bool same_address(const std::optional<T> &a, const std::optional<T> &b) {
    return a && b && a->address == b->address;
}

/// The guest as it is cannot become this one. A container that was started again is at the same place, but in another
/// namespace.
bool wants_anew(const Live &live, const Record &record, const Policy &policy) {
    if (record.asked != asked_of(policy) || !is_whole(record.wired, live.directory_of(record.slot)))
        return true;
    if (policy.place.by == Place::By::tap)
        return false;
    const auto path = netns_path(policy.place);
    const auto netns = path ? kernel::NetNs::open(*path) : std::unexpected(path.error());
    const auto inode = netns ? netns->inode() : std::unexpected(netns.error());
    return !inode || *inode != record.wired.netns_inode;
}

/// A port that is published already stays, whoever began to listen there since.
Result<> check_new_ports(const Record *record, const Policy &policy) {
    std::vector<Publish> added;
    for (const Publish &publish : policy.publish)
        if (!record || std::ranges::count(record->publish, publish) == 0)
            added.push_back(publish);
    auto free = check_not_listening(added);
    return free ? Result<>{} : std::unexpected(std::move(free).error().within("guest " + policy.name));
}

} // namespace

Policy policy_of(const Record &record) {
    Policy policy;
    policy.name = record.name;
    policy.place = record.asked.place;
    policy.device = record.asked.device;
    policy.host_device = record.asked.host_device;
    policy.address4 = record.asked.address4;
    policy.address6 = record.asked.address6;
    policy.publish = record.publish;
    return policy;
}

Result<> check_alone(const Policy &policy, const std::vector<Policy> &others) {
    for (const Policy &other : others) {
        if (policy.name == other.name)
            return fail(Kind::conflict, 0, "there is a guest " + policy.name + " already");
        if (same_address(policy.address4, other.address4))
            return both(other, policy, "address " + to_string(policy.address4->address));
        if (same_address(policy.address6, other.address6))
            return both(other, policy, "address " + to_string(policy.address6->address));
        if (policy.host_device == other.host_device)
            return both(other, policy, "host_device " + policy.host_device);
        if (policy.place == other.place && policy.device == other.device)
            return both(other, policy, "place and device");
        for (const Publish &one : policy.publish)
            for (const Publish &another : other.publish)
                if (overlap(one, another))
                    return both(other, policy, "published port " + to_text(one));
    }
    return {};
}

bool changes(const Record &record, const Policy &policy, const Ruled &rules) {
    return record.runtime || record.masquerade != policy.masquerade || record.publish != policy.publish ||
           !(record.ruled == rules);
}

/// Before anything is made: making a thousand takes its time.
Result<> check_most(const std::vector<Policy> &policies) {
    if (policies.size() > BL_GUEST_MAX)
        return fail(Kind::conflict, 0,
                    std::to_string(policies.size()) + " guests, those of `beeline guest add` included; the most are " +
                        std::to_string(BL_GUEST_MAX));
    std::size_t ports = 0;
    for (const Policy &policy : policies)
        for (const Publish &publish : policy.publish)
            ports += !publish.address && policy.address4 && policy.address6 ? 2 : 1;
    if (ports > BL_GUEST_MAX_PORTS)
        return fail(Kind::conflict, 0,
                    std::to_string(ports) + " published ports, one without an address counted for each family; the " +
                        "most are " + std::to_string(BL_GUEST_MAX_PORTS));
    return {};
}

Result<Difference> difference(const Live &live, const std::vector<Policy> &policies) {
    Difference found;
    std::vector<Policy> others;
    for (const auto &[slot, record] : live.guests) {
        const bool named = std::ranges::count(policies, record.name, &Policy::name) != 0;
        if (record.runtime && !named)
            others.push_back(policy_of(record));
        else if (!named)
            found.removed.push_back(slot);
    }
    for (const Policy &policy : policies) {
        BL_CHECK(check_alone(policy, others));
        others.push_back(policy);
        const Record *record = live.find(policy.name);
        BL_CHECK(check_new_ports(record, policy));
        (!record ? found.added : wants_anew(live, *record, policy) ? found.rewired : found.kept).push_back(&policy);
    }
    BL_CHECK(check_most(others));
    return found;
}

Result<> reconcile(Live &live, const Difference &difference, const std::vector<Uplink> &uplinks, UpReport &report) {
    return Reconciliation(live, difference, uplinks, report).run();
}

} // namespace beeline::guest
