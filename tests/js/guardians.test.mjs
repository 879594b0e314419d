// Changes of guardians: several calls, to the module of the delay that the page shows. R15.

import { answers, refused } from "./support.mjs";

const OTHER = "0x8641AD3a0067B4F505047008E7e59e892F59Af24";
const MODULE = { 604800: "0x088f6cfD8BB1dDb1BB069CCb3fc1A98927D233f2",
  180: "0x949d01d424bE050D09C16025dd007CB59b3A8c66" };
const { recovery, guardian, revocation, agreement, stop } = answers.requests;
const anew = answers.requests["recovery anew"];
const end = answers.requests["end of recovery"];
const ALL = Object.entries(answers.requests)
  .filter(([, { request }]) => request.change?.delay !== undefined);
const fitting = { rehash: true };

for (const [name, original] of ALL) {
  const { delay, kind, ...fields } = original.request.change;
  const both = (what, field, change) => {
    refused(`${what}: ${name}`, original, field, change);
    refused(`${what}, hashed: ${name}`, original, field, change, fitting);
  };
  both("another delay's module", "calls", (r) => (r.change.delay = delay === "259200" ? "180" : "259200"));
  both("a delay of no module", "delay", (r) => (r.change.delay = "86400"));
  both("a call to another module", "calls", (r) => {
    const to = Object.values(MODULE).find((address) => address !== r.calls.at(-1).to);
    for (const call of r.calls) if (call.to !== r.message.safe) call.to = to;
  });
  both("a call less", "calls", (r) => r.calls.pop());
  both("a call more", "calls", (r) => r.calls.push({ to: OTHER, valueWei: "0", data: "0x" }));
  both("a payment on top", "calls", (r) => (r.calls[0].valueWei = "1"));
  both("calls in another order", "calls", (r) => r.calls.reverse());
  both("approvals of before left as they are", "calls", (r) => {
    r.calls = r.calls.filter(({ data }) => data !== "0x5a57b46f");
  });
  refused(`a shorter delay than shown: ${name}`, original, "delay", (r, shown) => {
    shown.delay.text = "28 days";
  });
  refused(`a delay in words only: ${name}`, original, "delay", (r, shown) => (shown.delay.value = ""));
  refused(`no delay on the page: ${name}`, original, "delay", (r, shown) => delete shown.delay);
  refused(`no delay: ${name}`, original, "delay", (r) => delete r.change.delay);
  refused(`another kind on the page: ${name}`, original, "change", (r, shown) => {
    shown.change.value = kind === "add-guardian" ? "cancel-recovery" : "add-guardian";
  });
  refused(`a field too many: ${name}`, original, "memo", (r) => (r.change.memo = "1"));
  refused(`with a new owner: ${name}`, original, "newOwner", (r) => {
    r.newOwner = answers.requests.addition.request.newOwner;
  });
  refused(`one more on the page: ${name}`, original, "guardian-9", (r, shown) => {
    shown["guardian-9"] = { text: OTHER, value: "" };
  });
  for (const field of Object.keys(fields)) {
    refused(`no ${field}: ${name}`, original, field, (r) => delete r.change[field]);
  }
  for (const shownName of Object.keys(original.shown)) {
    refused(`the page without ${shownName}: ${name}`, original, shownName, (r, shown) => {
      delete shown[shownName];
    });
  }
  if (fields.cancels === "no") {
    both("a recovery left to go on", "calls", (r) => (r.change.cancels = "yes"));
    refused(`a recovery ended behind one's back: ${name}`, original, "cancels-recovery", (r) => {
      r.change.cancels = "yes";
      r.calls.unshift({ to: MODULE[delay] ?? r.calls.at(-1).to, valueWei: "0", data: "0x0ba234d6" });
      if (r.calls[0].to === r.message.safe) r.calls[0].to = r.calls[1].to;
    }, fitting);
  }
  if (fields.threshold !== undefined) {
    both("more than there are to approve", "threshold", (r) => {
      r.change.threshold = String(BigInt(r.change.threshold) + 5n);
    });
    both("nobody to approve", "threshold", (r) => (r.change.threshold = "0"));
    refused(`more guardians on the page: ${name}`, original, "guardian-threshold", (r, shown) => {
      shown["guardian-threshold"].text = `${r.change.threshold} of 9 guardians must approve`;
    });
    refused(`another number in words: ${name}`, original, "guardian-threshold", (r, shown) => {
      const { text } = shown["guardian-threshold"];
      shown["guardian-threshold"].text = text.replace(/^\d+/, "9");
    });
  }
  if (fields.before !== undefined) {
    refused(`guardians of before that are no list: ${name}`, original, "before", (r) => {
      r.change.before = OTHER;
    });
    refused(`a guardian of before twice: ${name}`, original, "before", (r) => {
      r.change.before = [OTHER, OTHER];
    });
    refused(`something else among those of before: ${name}`, original, "before", (r) => {
      r.change.before = [null];
    });
  }
}

const swapIn = (data, address) =>
  data.replace(/^(0x.{8})0{24}.{40}/, `$1${"0".repeat(24)}${address.slice(2).toLowerCase()}`);

refused("another guardian in the calls, hashed", recovery, "calls", (r) => {
  r.calls[1].data = swapIn(r.calls[1].data, OTHER);
}, fitting);
refused("another guardian in calls and request, hashed", recovery, "guardian-1", (r) => {
  r.calls[1].data = swapIn(r.calls[1].data, OTHER);
  r.change.guardians[0] = OTHER;
}, fitting);
refused("another guardian on the page", recovery, "guardian-2", (r, shown) => {
  shown["guardian-2"].text = OTHER;
});
refused("two guardians in each other's place", recovery, "guardian-1", (r, shown) => {
  [shown["guardian-1"], shown["guardian-2"]] = [shown["guardian-2"], shown["guardian-1"]];
});
refused("a guardian shortened on the page", recovery, "guardian-3", (r, shown) => {
  const { text } = shown["guardian-3"];
  shown["guardian-3"] = { text: `${text.slice(0, 6)}…${text.slice(-4)}`, value: text };
});
refused("the same guardian twice", recovery, "guardians", (r) => {
  r.change.guardians[1] = r.change.guardians[0];
});
refused("no guardian at all, hashed", recovery, "threshold", (r) => (r.change.guardians = []), fitting);
refused("a lower threshold in the calls, hashed", recovery, "calls", (r) => {
  r.calls[3].data = `${r.calls[3].data.slice(0, -1)}1`;
}, fitting);
refused("a lower threshold in the request, hashed", recovery, "calls", (r) => {
  r.change.threshold = "1";
}, fitting);
refused("a module that is said to be enabled, hashed", recovery, "calls", (r) => {
  r.change.enables = "no";
}, fitting);
refused("neither enabled nor not", recovery, "enables", (r) => (r.change.enables = "constructor"));
refused("another module enabled, hashed", recovery, "calls", (r) => {
  r.calls[0].data = swapIn(r.calls[0].data, OTHER);
}, fitting);
refused("one who stayed from before and is not shown", anew, "calls", (r) => {
  r.change.before = r.change.before.slice(1);
}, fitting);
refused("another who goes on the page", anew, "revoked-1", (r, shown) => {
  shown["revoked-1"].text = OTHER;
});
refused("a recovery that goes on unseen, hashed", anew, "calls", (r) => {
  r.calls.shift();
}, fitting);
refused("somebody else added, hashed", guardian, "guardian-1", (r) => {
  r.calls[0].data = swapIn(r.calls[0].data, OTHER);
  r.change.guardians = [OTHER];
}, fitting);
refused("who goes is none of those before", revocation, "removed", (r) => (r.change.removed = OTHER));
refused("somebody else goes", revocation, "calls", (r) => {
  r.change.removed = r.change.before[2];
}, fitting);
refused("another order of those before", revocation, "calls", (r) => r.change.before.reverse(), fitting);
refused("a threshold of the owners", agreement, "calls", (r) => {
  r.calls[0].to = r.message.safe;
}, fitting);
refused("a cancellation that is a change of the threshold", stop, "change", (r) => {
  r.change = { ...agreement.request.change };
  r.calls = structuredClone(agreement.request.calls);
}, fitting);
refused("another module taken out, hashed", end, "calls", (r) => {
  r.calls.at(-1).data = `${r.calls.at(-1).data.slice(0, -40)}${OTHER.slice(2).toLowerCase()}`;
}, fitting);
refused("a module left enabled, hashed", end, "calls", (r) => r.calls.pop(), fitting);
