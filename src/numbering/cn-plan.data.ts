// Made by scripts/plan-data.mjs from data/cn-numbering-plan.csv; sources in NOTICE.
import type { NumberClass } from "../domain/number.ts";

/** Prefixes of one class that allow the same lengths. */
export interface PlanRow {
  readonly class: NumberClass;
  /** Digits of the subscriber number for class `fixed`, of the national significant number for all others. */
  readonly lengths: readonly number[];
  /** Separated by a space. */
  readonly prefixes: string;
}

/** The +86 plan: area codes, mobile blocks and nationwide codes. */
export const cnPlan: readonly PlanRow[] = [
  {
    class: "fixed",
    lengths: [8],
    prefixes:
      "10 20 21 22 23 24 25 27 28 29 311 371 377 379 411 431 432 451 510 511 512 513 514 515 516 517 518 519 523 527 531 532 551 571 573 574 575 576 577 579 591 595 731 755 757 760 769 791 871 898",
  },
  {
    class: "fixed",
    lengths: [7],
    prefixes:
      "310 312 313 314 315 316 317 318 319 335 349 350 351 352 353 354 355 356 357 358 359 370 372 373 374 375 376 378 391 392 393 394 395 396 398 410 412 413 414 415 416 417 418 419 421 427 429 434 436 437 438 439 452 453 454 455 456 457 458 459 464 467 468 469 470 471 472 473 474 475 476 477 478 479 482 483 530 533 534 535 536 537 538 539 543 546 550 552 553 554 555 556 557 558 559 561 562 563 564 566 570 572 578 580 592 593 594 596 597 598 599 631 632 633 634 635 660 662 663 668 691 692 701 710 711 712 713 714 715 716 717 718 719 722 724 728 730 734 735 736 737 738 739 743 744 745 746 750 751 752 753 756 758 759 762 763 766 768 770 771 772 773 774 775 776 777 778 779 790 792 793 794 795 796 797 798 799 812 813 816 817 818 825 826 827 830 831 832 833 834 835 836 837 838 839 852 853 854 855 856 857 858 859 870 872 873 874 875 876 877 878 879 883 886 887 888 891 892 893 894 895 896 897 901 902 903 906 908 909 911 912 913 914 915 916 917 919 930 931 932 933 934 935 936 937 938 939 941 943 951 952 953 954 955 970 971 972 973 974 975 976 977 979 990 991 992 993 994 995 996 997 998 999",
  },
  {
    class: "fixed",
    lengths: [7, 8],
    prefixes: "433 435 754 851",
  },
  {
    class: "mobile",
    lengths: [11],
    prefixes:
      "133 149 153 173 177 180 181 189 190 191 193 199 1340 1341 1342 1343 1344 1345 1346 1347 1348 135 136 137 138 139 147 150 151 152 157 158 159 172 178 182 183 184 187 188 195 197 198 130 131 132 145 155 156 166 175 176 185 186 196 192",
  },
  {
    class: "mobile_mvno",
    lengths: [11],
    prefixes: "162 1700 1701 1702 165 1703 1705 1706 167 1704 1707 1708 1709 171",
  },
  {
    class: "mobile_satellite",
    lengths: [11],
    prefixes: "13492 13493 13499 17400 17401 17402 17403 17404 17405 1619 1749",
  },
  {
    class: "mobile_emergency_comms",
    lengths: [11],
    prefixes: "17406 17407 17408 17409 17410 17411 17412",
  },
  {
    class: "mobile_iot",
    lengths: [11, 13],
    prefixes: "146 148",
  },
  {
    class: "mobile_iot",
    lengths: [13],
    prefixes: "1410 1440 1441 1064",
  },
  {
    class: "intelligent_400",
    lengths: [10],
    prefixes: "400",
  },
  {
    class: "intelligent_800",
    lengths: [10],
    prefixes: "800",
  },
  {
    class: "intl_service",
    lengths: [4, 5],
    prefixes: "108",
  },
  {
    class: "emergency",
    lengths: [3],
    prefixes: "110 119 120 122",
  },
  {
    class: "fault_or_gsm_emergency",
    lengths: [3],
    prefixes: "112",
  },
  {
    class: "directory",
    lengths: [3],
    prefixes: "114",
  },
  {
    class: "emergency_sms",
    lengths: [5],
    prefixes: "12110",
  },
  {
    class: "emergency",
    lengths: [5],
    prefixes: "12395 95110",
  },
  {
    class: "anti_fraud",
    lengths: [5],
    prefixes: "96110",
  },
  {
    class: "operator_service",
    lengths: [5],
    prefixes: "100 101",
  },
  {
    class: "intelligent_1010",
    lengths: [8],
    prefixes: "1010",
  },
  {
    class: "sms_port",
    lengths: [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    prefixes: "106",
  },
  {
    class: "business_code",
    lengths: [5, 6],
    prefixes: "118 116",
  },
  {
    class: "public_service",
    lengths: [5],
    prefixes: "121 123",
  },
  {
    class: "business_code",
    lengths: [5],
    prefixes: "125",
  },
  {
    class: "info_line",
    lengths: [3, 8],
    prefixes: "160 168",
  },
  {
    class: "ip_prefix",
    lengths: [5],
    prefixes: "179",
  },
  {
    class: "enterprise_95",
    lengths: [5, 6],
    prefixes: "953 955 956",
  },
  {
    class: "callcentre_95",
    lengths: [5, 6, 10, 11],
    prefixes: "950 951 952 954 957",
  },
  {
    class: "short_95",
    lengths: [5, 6],
    prefixes: "95",
  },
  {
    class: "short_96",
    lengths: [5, 6],
    prefixes: "96",
  },
  {
    class: "mobile_reserved",
    lengths: [11],
    prefixes: "92 98",
  },
];
