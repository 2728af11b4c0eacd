"""Bugs that somebody could make: each a change of one text in one file, and the few tests that must notice it."""

from msgspec import Struct


class Bug(Struct, frozen=True):
    """In `file` (of src/houbao) the text `old`, which stands there once, becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]


CELLS, TABLE, ORDERS = "tests/core/test_cells.py::", "tests/core/test_money_table.py::", "tests/core/test_orders.py::"
SCORE, SCORING = "tests/core/test_score.py::", "tests/engine/test_scoring.py::"

LIMITS = "tests/core/test_limits.py::"
APPEALS, CHARGEBACKS = "tests/core/test_appeals.py::", "tests/core/test_chargebacks.py::"
GOODWILL = "tests/core/test_goodwill.py::"

BUGS = [
    Bug(
        "an abandoned refund is not released",
        "core/ledger.py",
        '("release", RESERVED, AVAILABLE, 0 if event.waited else minor)',
        '("release", RESERVED, AVAILABLE, 0)',
        (TABLE + "test_fund_paid_abandoned_goes_back_to_the_fund",),
    ),
    Bug(
        "the cap of a refund is off by one",
        "core/awards.py",
        "refundable(order, wants, scene.taken_lines, scene.taken_payments))",
        "refundable(order, wants, scene.taken_lines, scene.taken_payments) + 1)",
        (CELLS + "test_what_the_table_accepts_leads_where_the_table_says",),
    ),
    Bug(
        "the limit of a dispute forgets what the fund paid for it before",
        "core/shortfalls.py",
        "caps.per_dispute - sum(map(_of_fund, refunds))",
        "caps.per_dispute",
        (LIMITS + "test_an_appeal_finds_what_the_fund_paid_before",),
    ),
    Bug(
        "the limit of a dispute is taken to be in the order's currency",
        "core/awards.py",
        "part = whole.minor * room // wants",
        "part = min(whole.minor, room)",
        (LIMITS + "test_in_another_currency_the_limit_is_the_funds",),
    ),
    Bug(
        "above the limit of a dispute the seller pays",
        "core/awards.py",
        'whole.minor - part, "platform", resolved_by)',
        'whole.minor - part, "seller", resolved_by)',
        (LIMITS + "test_the_sellers_net_over_a_covered_dispute_is_zero_and_the_fund_pays_at_most_its_limit",),
    ),
    Bug(
        "what finance gives up keeps a dispute waiting for money",
        "core/evolving.py",
        "not any(refund.waits for refund in refunds)",
        "not refunds",
        (LIMITS + "test_where_the_part_that_waits_is_given_up_the_other_goes_on",),
    ),
    Bug(
        "the idempotency key is not looked at",
        "engine/deciding.py",
        "if name in self.receipts:",
        "if name in ():",
        (
            "tests/engine/test_engine.py::test_a_command_sent_again_with_its_key_gets_the_stored_reply_and_nothing_is_written",
        ),
    ),
    Bug(
        "a deadline falls due one second late",
        "core/deadlines.py",
        "if timer.at <= now]",
        "if (now - timer.at).total_seconds() >= 1]",
        (CELLS + "test_one_second_before_its_time_nothing_happens_and_at_its_time_the_default",),
    ),
    Bug(
        "a late sweep says its own time",
        "core/decider.py",
        "_scene(world, SYSTEM, timer.at)",
        "_scene(world, SYSTEM, now)",
        (CELLS + "test_a_late_sweep_gives_the_very_events_of_a_punctual_one",),
    ),
    Bug(
        "a deadline outlives the answer",
        "core/evolving.py",
        '"timers": event.timers}',
        '"timers": event.timers or dispute.timers}',
        (CELLS + "test_an_answer_ends_the_deadline",),
    ),
    Bug(
        "the latest approved is served first",
        "store/loading.py",
        "ORDER BY position LIMIT 200",
        "ORDER BY position DESC LIMIT 200",
        ("tests/test_requirements.py::test_r5_money_that_arrives_pays_each_exactly_once_in_order_of_approval",),
    ),
    Bug(
        "an approval that fits overtakes those that wait",
        "core/awards.py",
        "behind = not held and waiting_for(purse, account) > 0",
        "behind = False",
        (TABLE + "test_an_approval_that_would_fit_still_queues_behind_those_that_wait",),
    ),
    Bug(
        "a second attempt is made while the first is unknown",
        "core/attempts.py",
        'share.state != "due" or refund.state',
        'share.state not in ("due", "unknown") or refund.state',
        (TABLE + "test_a_new_attempt_is_made_only_after_a_definite_no",),
    ),
    Bug(
        "the store is blamed for the platform's delay",
        "core/awards.py",
        'dispute.resolved_by == "platform_timeout"',
        'dispute.resolved_by != "platform_timeout"',
        (CELLS + "test_the_platforms_own_delay_never_counts_against_the_store",),
    ),
    Bug(
        "vouchers are refunded before cash",
        "core/refundable.py",
        "for cash in (True, False):",
        "for cash in (False, True):",
        (ORDERS + "test_a_refund_goes_back_over_cash_before_vouchers_pro_rata",),
    ),
    Bug(
        "coverage is that of the day of the dispute",
        "core/decider.py",
        "    scene, rules, others = _scene(world, by, now),",
        "    at_opening = p.coverage(world.store, world.programme, _order(world).currency, now)\n"
        "    world = structs.replace(world, order=structs.replace(world.order, coverage=at_opening))\n"
        "    scene, rules, others = _scene(world, by, now),",
        ("tests/core/test_programme.py::test_a_store_that_leaves_keeps_the_cover_of_orders_already_paid",),
    ),
    Bug(
        "a changed claim leaves the seller's clock",
        "core/claims.py",
        'entering(dispute, scene, "awaiting_seller") if sellers_turn',
        '{**staying(dispute, scene), "phase": "awaiting_seller"} if sellers_turn',
        (CELLS + "test_a_changed_claim_restarts_the_sellers_clock",),
    ),
    Bug(
        "the seller's clock starts with the ruling, not with the notice",
        "core/notices.py",
        "return [NoticeStood(**moved,",
        "waits = scene.policy.timers.seller_answer - scene.policy.timers.notice\n"
        '    turns = [t for t in dispute.timers if t.kind == "turn"]\n'
        '    moved["timers"] = tuple(type(t)(kind=t.kind, at=t.at + waits) for t in turns)\n'
        "    return [NoticeStood(**moved,",
        (CELLS + "test_the_sellers_clock_starts_when_the_notice_is_accepted_and_anew_after_a_bounce",),
    ),
    Bug(
        "a bounce leaves the seller's clock running",
        "core/notices.py",
        'if dispute.phase == "notifying" else entering(dispute, scene, "notifying")',
        "",
        (CELLS + "test_what_the_table_accepts_leads_where_the_table_says",),
    ),
    Bug(
        "money that came later is not reserved",
        "core/ledger.py",
        'return _taken(event, for_seller=event.account.endswith(":payable"))',
        "return []",
        (TABLE + "test_short_of_money_nothing_is_booked_until_it_arrives",),
    ),
    Bug(
        "a sellers advance is undone last",
        "core/attempts.py",
        "for kind, leg in reversed(legs):",
        "for kind, leg in legs:",
        (TABLE + "test_an_advance_is_undone_before_a_sellers_own_money_comes_back",),
    ),
    Bug(
        "what was paid elsewhere is booked again when the provider says paid",
        "core/attempts.py",
        'if share.state not in ("sent", "unknown", "lost"):',
        'if share.state not in ("sent", "unknown", "lost", "elsewhere"):',
        (TABLE + "test_what_was_paid_elsewhere_is_not_booked_again_when_the_provider_says_paid_after_all",),
    ),
    Bug(
        "after a crash the attempt is sent again without a look-up",
        "engine/worker.py",
        "        else:\n            reply = self._ask(dispute, share)",
        "        else:\n            reply = self._pay(dispute, share)",
        (
            "tests/engine/test_worker.py::test_an_attempt_found_sent_is_looked_up_even_when_another_deadline_passes_in_the_same_breath",
        ),
    ),
    Bug(
        "the protection window closes one second late",
        "core/protection.py",
        "self.opens <= now < self.closes",
        "self.opens <= now <= self.closes",
        (ORDERS + "test_not_as_described_and_changed_mind_run_from_delivery",),
    ),
    Bug(
        "a counter-offer moves the day on which the platform decides",
        "core/phases.py",
        "escalates_at or ends(clock, start, waits.escalation)",
        "ends(clock, start, waits.escalation)",
        (CELLS + "test_counter_offers_do_not_move_the_day_on_which_the_platform_decides",),
    ),
    Bug(
        "a return that lapsed keeps the seller's money",
        "core/deadlines.py",
        '[*put_back(dispute, scene), close(dispute, scene, "lapsed"',
        '[close(dispute, scene, "lapsed"',
        (CELLS + "test_a_return_that_lapses_or_is_withdrawn_gives_the_seller_everything_back",),
    ),
    Bug(
        "a ruling after a return pays beside what was put aside",
        "core/awards.py",
        "return [back, *pay(dispute, _without(scene, held, back), wanted, payer, resolved_by)]",
        "return pay(dispute, _without(scene, held, back), wanted, payer, resolved_by)",
        (CELLS + "test_a_return_found_wanting_may_bring_less_and_the_rest_goes_back_to_the_seller",),
    ),
    Bug(
        "the fund pays for what it does not cover when an agent says so",
        "core/awards.py",
        'payer == "fund" and not dispute.covered',
        'payer == "funds" and not dispute.covered',
        (CELLS + "test_the_fund_never_pays_for_what_it_does_not_cover_whatever_is_ruled",),
    ),
    Bug(
        "an offer not answered is forgotten",
        "core/deadlines.py",
        "    if dispute.offer:",
        "    if dispute.offer and dispute.reopened:",
        (CELLS + "test_one_second_before_its_time_nothing_happens_and_at_its_time_the_default",),
    ),
    Bug(
        "a policy comes into force in the past",
        "core/programme.py",
        "if start < now:",
        "if now < start < now:",
        ("tests/core/test_programme.py::test_a_version_comes_into_force_neither_in_the_past_nor_before_another",),
    ),
    Bug(
        "a quote in a policy ends its text in SQL",
        "core/policy_sql.py",
        """value.replace("'", "''")""",
        "value",
        ("tests/core/test_policy_sql.py::test_texts_are_compared_to_the_letter_whatever_letters_they_are",),
    ),
    Bug(
        "a list without texts is written into SQL as one that holds",
        "core/policy_sql.py",
        'if comparison == "not_in" else "false"',
        'if comparison == "not_in" else "true"',
        ("tests/core/test_policy_sql.py::test_a_list_without_texts_holds_nothing",),
    ),
    Bug(
        "sellers are told the limit below which a claim is paid at once",
        "core/promise.py",
        "for condition in when if condition.fact not in PRIVATE_FACTS]",
        'for condition in when if condition.fact not in ("evidence", "buyer_standing", "store_watch")]',
        ("tests/core/test_promise.py::test_the_shipped_page_does_not_name_the_sum_below_which_is_paid_at_once",),
    ),
    Bug(
        "a claim never lapses",
        "core/queues.py",
        "if dispute.claimed_until is not None and now < dispute.claimed_until else",
        "if dispute.claimed_until is not None else",
        (CELLS + "test_a_claim_lapses_by_itself_and_begins_anew_where_it_is_claimed_again",),
    ),
    Bug(
        "who proposed a ruling of fraud signs it too",
        "core/findings.py",
        "if not scene.by.id or str(scene.by) == proposed.by:",
        "if not scene.by.id:",
        (CELLS + "test_a_ruling_of_fraud_holds_when_a_second_person_signs_and_not_before",),
    ),
    Bug(
        "the fund stands for a seller's fraud",
        "core/findings.py",
        'payer = "seller" if command.fraud == "seller" else command.payer or dispute.payer',
        "payer = command.payer or dispute.payer",
        (CELLS + "test_a_sellers_fraud_is_what_the_seller_pays_for_though_the_order_is_covered",),
    ),
    Bug(
        "a dispute is closed while another of its refunds is still to come",
        "core/awards.py",
        "if not all(map(is_settled, refunds)) or",
        "if not is_settled(changed) or",
        (APPEALS + "test_two_refunds_of_a_dispute_are_sent_and_settled_apart",),
    ),
    Bug(
        "whoever ruled decides the appeal too",
        "core/hearings.py",
        "if str(scene.by) in dispute.judges:",
        "if str(scene.by) in dispute.judges[1:]:",
        (APPEALS + "test_another_agent_than_the_one_who_ruled_before_decides",),
    ),
    Bug(
        "an appeal can be filed at the very end of its time",
        "core/hearings.py",
        "if scene.now >= end:",
        "if scene.now > end:",
        (APPEALS + "test_an_appeal_is_filed_within_thirty_days_to_the_second",),
    ),
    Bug(
        "a ruling takes from the seller what the guarantee covers",
        "core/awards.py",
        'if payer == "seller" and guaranteed(dispute):',
        'if payer == "seller" and dispute.route == "instant":',
        (APPEALS + "test_r8_nothing_in_scope_is_ever_taken_from_the_seller_by_an_appeal_neither",),
    ),
    Bug(
        "a seller who wins an appeal gets nothing back",
        "core/ledger.py",
        '("given_back", _PAID_FROM[event.payer], payable, event.minor)',
        '("given_back", _PAID_FROM[event.payer], payable, 0)',
        (
            APPEALS
            + "test_a_seller_who_wins_after_payment_gets_what_it_bore_from_the_platform_and_the_buyer_keeps_the_money",
        ),
    ),
    Bug(
        "a chargeback does not lessen what may be refunded",
        "core/decider.py",
        "for payment, minor in c.charged(order).items():",
        "for payment, minor in ():",
        (CHARGEBACKS + "test_what_a_bank_asks_back_or_took_is_not_refunded_too",),
    ),
    Bug(
        "a dispute that goes on has all its time again",
        "core/freezes.py",
        "at=timer.at + pause)",
        "at=timer.at + 2 * pause)",
        (CHARGEBACKS + "test_while_the_bank_decides_no_time_runs_and_then_the_time_that_was_left",),
    ),
    Bug(
        "the seller bears a chargeback in the guarantee's scope where the fund is short",
        "core/freezes.py",
        'return "platform"',
        'return "seller"',
        (CHARGEBACKS + "test_the_platform_bears_what_the_fund_does_not_have",),
    ),
    Bug(
        "a gift shuts the buyer out of a dispute",
        "core/claims.py",
        "if other.route != GOODWILL)",
        "if other.route)",
        (GOODWILL + "test_it_takes_no_dispute_from_the_buyer_who_may_ask_for_the_rest",),
    ),
    Bug(
        "nobody notes when an appeal lifted a fault",
        "core/evolving.py",
        'return event.at if dispute.fault.state == "counted" else dispute.fault.lifted_at',
        "return dispute.fault.lifted_at",
        (SCORING + "test_what_an_appeal_lifts_stays_in_the_days_before_and_is_gone_from_the_next_day_on",),
    ),
    Bug(
        "an open dispute does not weigh",
        "core/score.py",
        'return tally.state != "exempt" or',
        'return tally.state == "counted" or',
        (SCORE + "test_counted_pending_and_exempt_stand_side_by_side_and_the_exempt_ones_cost_nothing",),
    ),
    Bug(
        "the window of the score is a day too long",
        "core/score.py",
        "short = Span(day - (curves.window - 1) * DAY, day)",
        "short = Span(day - curves.window * DAY, day)",
        (SCORE + "test_an_order_counts_on_the_first_of_its_completion_and_its_dispute",),
    ),
    Bug(
        "what an appeal lifts is exempt a day early",
        "core/score.py",
        "lifted is not None and day <= lifted",
        "lifted is not None and day < lifted",
        (SCORE + "test_what_was_lifted_counts_up_to_that_day_and_is_exempt_from_the_next_on",),
    ),
    Bug(
        "a withdrawn dispute leaves its mark on the answers in time",
        "core/score.py",
        'if span.holds(opened) and x.why != "withdrawn"]',
        "if span.holds(opened)]",
        (SCORE + "test_the_answer_rate_is_turns_answered_in_time_of_all_that_ended",),
    ),
    Bug(
        "every rating costs the same",
        "core/attribution.py",
        "split(lost, [weight for *_, weight in found])",
        "split(lost, [1 for _ in found])",
        (SCORE + "test_a_rating_costs_as_much_as_it_is_short_of_five",),
    ),
    Bug(
        "whatever counts is the guarantee's",
        "core/tallies.py",
        'guaranteed=fault.state == "counted" and dispute.resolved_by == "guarantee",',
        'guaranteed=fault.state == "counted",',
        (SCORING + "test_the_sellers_turns_and_the_platforms_ruling_stand_on_the_record",),
    ),
    Bug(
        "a fault that is gone stays in the days already kept",
        "engine/scoring.py",
        "if day >= begin or store in changed]",
        "if day >= begin]",
        (SCORING + "test_when_the_buyer_withdraws_the_days_of_a_month_not_yet_graded_are_as_if_nothing_had_been",),
    ),
    Bug(
        "the line of a dispute is not written again",
        "store/batch.py",
        "elif rows.tally_rows(part, old) != lines:",
        "elif old.store != dispute.store:",
        (SCORING + "test_opening_a_dispute_writes_one_line_and_what_does_not_change_it_writes_none",),
    ),
    Bug(
        "an outage moves what had fallen due before it began",
        "core/calendars.py",
        "if begin >= due:",
        "if begin > due:",
        (
            "tests/core/test_outages.py::test_what_had_fallen_due_before_an_outage_began_is_not_moved_by_it_however_late_the_sweep",
        ),
    ),
    Bug(
        "time that two outages share counts twice",
        "core/outages.py",
        "        start = known.end\n",
        "",
        (
            "tests/core/test_outages.py::test_entering_an_outage_twice_or_a_part_of_one_changes_nothing_and_a_longer_one_adds_the_rest",
        ),
    ),
    Bug(
        "what fell due in an outage falls due before it is moved",
        "core/decider.py",
        "if world.outages:",
        "if world.outages and not deadlines.next_due([*world.disputes.values()][0], now):",
        ("tests/core/test_outages.py::test_who_was_not_swept_meanwhile_keeps_the_time_that_the_outage_took",),
    ),
    Bug(
        "business days are those of everywhere",
        "core/policy.py",
        "policy.calendars.get(country, EVERYWHERE)",
        "EVERYWHERE",
        ("tests/core/test_waits.py::test_a_seller_has_the_business_days_of_their_own_country",),
    ),
    Bug(
        "buyers and sellers alike are told the time by the programme's clocks",
        "engine/worker.py",
        "return store.zone if store else",
        "return self.database.programme(order.coverage.programme).zone if store else",
        (
            "tests/engine/test_worker.py::test_sellers_are_told_by_their_own_clocks_and_buyers_by_those_of_the_programme",
        ),
    ),
    Bug(
        "orders paid before a watch lose their coverage",
        "core/programme.py",
        "elif store.watch is not None and paid_at >= store.watch.since:",
        "elif store.watch is not None:",
        ("tests/core/test_watches.py::test_a_store_that_passes_a_limit_is_watched_and_its_new_orders_are_not_covered",),
    ),
    Bug(
        "a watched store is paid for at once",
        "core/claims.py",
        '"watched" if store.watch else "none"',
        '"none" if store.watch else "none"',
        ("tests/core/test_watches.py::test_a_watched_store_is_paid_for_after_a_look_and_never_at_once",),
    ),
    Bug(
        "photos of one buyer alone count as shared",
        "store/standings.py",
        "if len(buyers) > 1}",
        "if len(buyers) > 0}",
        (
            "tests/engine/test_worker.py::test_a_photo_that_one_buyer_sends_twice_is_not_shared_and_gifts_are_no_disputes",
        ),
    ),
    Bug(
        "a premium is taken in the wrong mode",
        "core/fulfilment.py",
        'if coverage.covered and coverage.mode == "premium":',
        'if coverage.covered and coverage.mode == "deposit":',
        (TABLE + "test_in_premium_mode_a_covered_order_fills_the_fund",),
    ),
    Bug(
        "a covered order is paid out a moment too early",
        "core/fulfilment.py",
        "if order.coverage.covered and command.at < (mature := matures_at(order, till.days)):",
        "if order.coverage.covered and command.at <= (mature := matures_at(order, till.days)):",
        (TABLE + "test_what_a_covered_order_brought_is_paid_out_when_its_protection_has_ended",),
    ),
    Bug(
        "what a store owes already is not part of what is advanced",
        "core/shortfalls.py",
        "(advance or 0) + purse.receivable)",
        "(advance or 0))",
        (TABLE + "test_what_a_store_owes_already_is_part_of_what_may_be_advanced",),
    ),
    Bug(
        "the treasury forgets what it added before",
        "core/shortfalls.py",
        "scene.caps.backstop + scene.purse.backstop))",
        "scene.caps.backstop))",
        (CELLS + "test_at_its_cap_the_treasury_adds_no_more_and_everybody_is_told_each_day",),
    ),
    Bug(
        "an advance that was paid back goes to the platform again",
        "core/attempts.py",
        'undone = min(part, owed) if kind == "receivable" else part',
        "undone = part",
        (TABLE + "test_what_was_advanced_and_paid_back_is_the_sellers_when_the_refund_is_given_up",),
    ),
    Bug(
        "one person writes a debt off",
        "core/turns.py",
        "if dispute.write_off == str(scene.by):",
        'if dispute.write_off == "nobody":',
        (TABLE + "test_what_was_advanced_is_written_off_by_two_people_after_ninety_days",),
    ),
    Bug(
        "the difference of a settlement is booked the wrong way round",
        "core/ledger.py",
        "more = event.taken - event.booked",
        "more = event.booked - event.taken",
        (TABLE + "test_a_refund_in_another_currency_is_turned_by_the_last_rate_before_its_approval",),
    ),
    Bug(
        "a deposit that others wait for is taken by the next",
        "core/shortfalls.py",
        'if own == "payable" and purse.deposit_queue else',
        "if False else",
        (TABLE + "test_a_deposit_that_refunds_wait_for_is_not_taken_for_what_the_seller_pays",),
    ),
]
